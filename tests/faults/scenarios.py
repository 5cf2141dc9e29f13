"""The table of faults."""

from __future__ import annotations

from functools import partial

from tests.faults import disorder, kills
from tests.faults.runner import Scenario, Tier

_EXACTLY = "0 lost, 0 twice; tickets and notices as without the fault"

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "kill-each",
        _EXACTLY,
        "kill -9 of broker, database, worker, ingest, API and device process, one after the other",
        partial(kills.kill, parts=kills.COMPONENTS),
    ),
    *(
        Scenario(
            f"kill-{name}",
            _EXACTLY,
            f"kill -9 of {title}, three times",
            partial(kills.kill, parts=(name,) * 3),
            Tier.LONG,
        )
        for name, title in (
            ("nats", "broker and stream"),
            ("postgres", "the database"),
            ("worker-1", "a worker"),
            ("ingest", "ingest"),
            ("api", "the API"),
            ("device", "the devices' process"),
        )
    ),
    Scenario(
        "disorder",
        "0 lost, 0 twice",
        "a tenth of all messages twice, reordered up to 1,000 deep",
        partial(disorder.repeats_and_disorder, messages=1_500, depth=1_000),
    ),
    Scenario(
        "disorder-long",
        "0 lost, 0 twice",
        "a tenth of all messages twice, reordered up to 1,000 deep",
        partial(disorder.repeats_and_disorder, messages=10_000, depth=1_000),
        Tier.LONG,
        seed=2,
    ),
    Scenario(
        "same-seq-other-time",
        "the first stored stays, in one row",
        "one seq sent twice with different times and values",
        disorder.first_stored_wins,
    ),
    Scenario(
        "new-epochs",
        "0 lost, 0 twice; only what the old spool never sent is given up",
        "devices whose spool is lost, twice; shuffled",
        disorder.new_epochs,
    ),
    Scenario(
        "overflow",
        "exactly what the spool dropped is declared lost",
        "a spool that overflowed while the device was offline",
        partial(disorder.overflown_spool, messages=2_000, kept=600),
    ),
    Scenario(
        "clocks",
        "0 lost, 0 twice; what is dated ahead is a dead letter that says so",
        "devices a day behind, a day ahead, in 1970 and in 2099",
        disorder.strange_clocks,
    ),
    Scenario(
        "fuzz",
        "0 lost; every payload is kept, neighbours never notice",
        "10,000 mutated payloads",
        partial(disorder.fuzz, payloads=10_000),
        seed=7,
    ),
    Scenario(
        "fuzz-long",
        "0 lost; every payload is kept, neighbours never notice",
        "100,000 mutated payloads",
        partial(disorder.fuzz, payloads=100_000),
        Tier.LONG,
        seed=8,
    ),
)
