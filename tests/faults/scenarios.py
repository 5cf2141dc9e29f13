"""The table of faults."""

from __future__ import annotations

from functools import partial

from tests.faults import backfill, commits, disorder, fuzz, kills, notices, outages, reboot
from tests.faults.post import Moment
from tests.faults.proxy import Strike
from tests.faults.runner import Scenario, Tier, Where

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
        partial(fuzz.fuzz, payloads=10_000),
        seed=7,
    ),
    Scenario(
        "fuzz-long",
        "0 lost; every payload is kept, neighbours never notice",
        "100,000 mutated payloads",
        partial(fuzz.fuzz, payloads=100_000),
        Tier.LONG,
        seed=8,
    ),
    Scenario(
        "database-down",
        _EXACTLY,
        "the database is away for 5 s",
        partial(outages.database_down, seconds=5.0),
    ),
    Scenario(
        "database-down-long",
        _EXACTLY,
        "the database is away for 60 s",
        partial(outages.database_down, seconds=60.0),
        Tier.LONG,
    ),
    Scenario(
        "stream-recreated",
        "0 lost, 0 twice",
        "the stream is deleted and made anew, twice",
        outages.stream_recreated,
        Tier.LONG,
    ),
    Scenario(
        "store-deleted",
        "0 lost, 0 twice",
        "the broker's store is deleted while it is stopped, then ingest is killed",
        outages.store_deleted,
    ),
    Scenario(
        "poison",
        "every block is kept as readings or whole as a dead letter",
        "blocks that the database refuses",
        outages.poison,
    ),
    Scenario(
        "reconnect-200",
        "0 lost, 0 twice",
        "the broker is killed under 200 devices with a connection each",
        partial(outages.reconnect_storm, devices=200),
    ),
    Scenario(
        "reconnect-1000",
        "0 lost, 0 twice",
        "the broker is killed under 1,000 devices with a connection each",
        partial(outages.reconnect_storm, devices=1_000),
        Tier.LONG,
    ),
    Scenario(
        "notice-killed-after",
        "every notice arrives; a repeat has the same Message-ID",
        "kill -9 of the bearer after hand-over to the mail server, before it is noted",
        partial(notices.bearer_killed, moments=(Moment.AFTER,), leaks=1),
    ),
    Scenario(
        "notice-killed",
        "every notice arrives; a repeat has the same Message-ID",
        "kill -9 of the bearer before, during and after hand-over to the mail server",
        partial(notices.bearer_killed, moments=(Moment.BEFORE, Moment.DURING, Moment.AFTER), leaks=1),
        Tier.LONG,
    ),
    Scenario(
        "stalled-jobs",
        "every job of a killed worker is done",
        "kill -9 of a worker with jobs under way and waiting",
        partial(notices.bearer_killed, moments=(Moment.DURING,), leaks=8),
        Tier.LONG,
    ),
    Scenario(
        "day-offline",
        "no alarm storm; live devices' receipts within 5 s (p99)",
        "devices offline for a day bring it in order",
        partial(backfill.offline_for_a_day, plugs=4, period=60.0, shuffled=False),
    ),
    Scenario(
        "day-offline-shuffled",
        "no alarm storm; live devices' receipts within 5 s (p99)",
        "devices offline for a day bring it shuffled",
        partial(backfill.offline_for_a_day, plugs=4, period=60.0, shuffled=True),
        Tier.LONG,
    ),
    Scenario(
        "day-offline-long",
        "no alarm storm; live devices' receipts within 5 s (p99)",
        "10 devices with a message in 10 s, offline for a day, bring it in order",
        partial(backfill.offline_for_a_day, plugs=10, period=10.0, shuffled=False),
        Tier.LONG,
    ),
    Scenario(
        "day-offline-shuffled-long",
        "no alarm storm; live devices' receipts within 5 s (p99)",
        "10 devices with a message in 10 s, offline for a day, bring it shuffled",
        partial(backfill.offline_for_a_day, plugs=10, period=10.0, shuffled=True),
        Tier.LONG,
    ),
    Scenario(
        "doubtful-commit-once",
        _EXACTLY,
        "the connection is cut before, during and after COMMIT",
        partial(commits.doubtful_commits, times=1),
        where=Where.PROXIED,
    ),
    Scenario(
        "doubtful-commit",
        _EXACTLY,
        "the connection is cut before, during and after COMMIT, three times in a row each",
        partial(commits.doubtful_commits, times=3),
        Tier.LONG,
        where=Where.PROXIED,
    ),
    Scenario(
        "stopped-in-copy",
        _EXACTLY,
        "SIGSTOP of a worker inside COPY; it wakes when its partitions are another's",
        partial(commits.stopped_and_woken, strike=Strike.HOLD_COPY),
        where=Where.PROXIED,
    ),
    Scenario(
        "stopped-before-commit",
        _EXACTLY,
        "SIGSTOP of a worker before COMMIT; it wakes when its partitions are another's",
        partial(commits.stopped_and_woken, strike=Strike.HOLD_COMMIT),
        where=Where.PROXIED,
    ),
    Scenario(
        "reboot",
        _EXACTLY,
        "everything killed at once under `wellkept up`; pid files point at somebody else's process",
        reboot.reboot,
        Tier.LONG,
        where=Where.ALONE,
    ),
)
