"""Plays a scenario, audits it, and says what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum

from tests.faults.auditor import Audit, audit, desk_story
from tests.faults.reboot import UpRig
from tests.faults.stage import PATIENCE, RECOVERY, Case, Stage
from tests.spine.rig import Rig

MEMORY_MB = 200.0


class Tier(StrEnum):
    """When a scenario is played."""

    SHORT = "short"
    LONG = "long"


class Where(StrEnum):
    """On which servers."""

    PLAIN = "plain"
    """The product as it is."""
    PROXIED = "proxied"
    """Workers reach the database through a proxy that can strike."""
    ALONE = "alone"
    """Under a command of its own: nobody else would survive it."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault and what is claimed of it.

    Attributes:
        id: permanent.
        claim: what holds in spite of it.
        fault: what is done, in words.
        play: does it; fills the case's ledger and measurements.
        tier: see `Tier`.
        seed: of the case's generator.
        where: see `Where`.
    """

    id: str
    claim: str
    fault: str
    play: Callable[[Case], None]
    tier: Tier = Tier.SHORT
    seed: int = 1
    where: Where = Where.PLAIN


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a scenario.

    Attributes:
        recovery: worst seconds from the fault's end to a receipt without a gap; None where none was measured.
        grown: MB by which ingest and workers grew.
        problems: claims that did not hold, in words; empty when it passed.
        stretched: bounds of time that were kept only with patience, in words.
        wall: seconds it took.
    """

    scenario: Scenario
    messages: int
    lost: int
    duplicated: int
    recovery: float | None
    rate: float | None
    grown: float
    problems: list[str]
    stretched: list[str]
    notes: list[str]
    wall: float


@dataclass(slots=True)
class Theatre:
    """Keeps stages running between scenarios."""

    _stages: dict[Where, Stage] = field(default_factory=dict)
    _exits: ExitStack = field(default_factory=ExitStack)

    def stage(self, where: Where) -> Stage:
        """The running stage of a kind; one `ALONE` is the caller's to stop."""
        if where in self._stages:
            return self._stages[where]
        stage = Stage(proxied=where is Where.PROXIED, rig=UpRig if where is Where.ALONE else Rig)
        self._exits.callback(stage.stop)
        stage.start()
        if where is not Where.ALONE:
            self._stages[where] = stage
        return stage

    def clear(self, where: Where, *, broken: bool) -> None:
        """After a scenario: servers of its own are ended, and those that it left in an unknown state."""
        if broken or where is Where.ALONE:
            self.close()

    def close(self) -> None:
        """End all stages."""
        self._stages.clear()
        self._exits.close()


def play(scenario: Scenario, stage: Stage) -> Outcome:
    """Play a scenario and audit it; what does not hold is in the outcome, nothing is raised for it."""
    began = time.monotonic()
    case = stage.case(scenario.id, scenario.seed)
    before = stage.memory_mb()
    problems: list[str] = []
    try:
        scenario.play(case)
    except AssertionError as error:
        problems.append(str(error) or repr(error))
        case.notes.append(stage.last_words())
    grown = max(0.0, stage.memory_mb() - before)
    if grown > MEMORY_MB:
        problems.append(f"ingest and workers grew by {grown:.0f} MB")
    found = audit(stage.rig.database_url, case.prefix, case.ledger)
    problems += audit_problems(found, case)
    problems += desk_problems(stage, case)
    return Outcome(
        scenario=scenario,
        messages=found.messages,
        lost=len(found.lost),
        duplicated=len(found.duplicated),
        recovery=max(case.recoveries, default=None),
        rate=min(case.rates, default=None),
        grown=grown,
        problems=problems,
        stretched=case.stretched,
        notes=case.notes,
        wall=time.monotonic() - began,
    )


def audit_problems(found: Audit, case: Case) -> list[str]:
    """What the audit holds against a scenario."""
    named = {
        "lost": found.lost,
        "duplicated": found.duplicated,
        "changed": found.changed,
        "never numbered": found.strange,
        "given up though a spool held them": found.declared - case.ledger.dropped,
    }
    problems = [f"{len(some)} {what}, e.g. {sorted(some)[:3]}" for what, some in named.items() if some]
    if not found.messages:
        problems.append("nothing was numbered: the scenario proves nothing")
    slowest = max(case.recoveries, default=0.0)
    if slowest > RECOVERY:
        case.stretched.append(f"recovery took {slowest:.1f} s")
    if slowest > RECOVERY * PATIENCE:
        problems.append(f"recovery took {slowest:.1f} s")
    return problems


def desk_problems(stage: Stage, case: Case) -> list[str]:
    """Tickets and notices against the run without faults, and every notice in the post."""
    story = desk_story(stage.rig.database_url, case.prefix)
    problems = []
    if case.reference is not None:
        if story.tickets != case.reference.tickets:
            problems.append(f"tickets {story.tickets} instead of {case.reference.tickets}")
        if story.notices != case.reference.notices:
            problems.append(f"notices {story.notices} instead of {case.reference.notices}")
    if len(set(story.message_ids)) != len(story.message_ids):
        problems.append("two notices share a Message-ID")
    arrived = {mail.id for mail in stage.post.mails()}
    missing = [message_id for message_id in story.message_ids if message_id not in arrived]
    if missing:
        problems.append(f"{len(missing)} notices never arrived, e.g. {missing[:3]}")
    return problems


def report(outcome: Outcome) -> str:
    """One line of figures, then what did not hold and the notes."""
    recovery = "-" if outcome.recovery is None else f"{outcome.recovery:.1f} s"
    rate = "-" if outcome.rate is None else f"{outcome.rate:.0f}/s"
    head = (
        f"{outcome.scenario.id}: {outcome.messages} messages, {outcome.lost} lost, {outcome.duplicated} twice, "
        f"recovery {recovery}, rate {rate}, grown {outcome.grown:.0f} MB, {outcome.wall:.0f} s"
    )
    return "\n".join([head, *outcome.problems, *outcome.notes])
