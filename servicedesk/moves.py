"""Rows of the dispatch board's moves, and the rules that a placing by hand can break."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from servicedesk.errors import ConflictError, DeskError, NeedsReasonError
from servicedesk.planner import Blocking

UNDO = timedelta(seconds=10)
"""How long a move can be taken back, in wall time; the owner is told after it."""
RELEASE = "release_move"
"""Job: tells the owner of a move that nobody took back."""


class Rule(StrEnum):
    """What speaks against a technician and a window."""

    HOUSEHOLD = "household"
    BEGUN = "begun"
    WINDOW = "window"
    STATE = "state"
    LOCKED = "locked"
    CONFIRMED = "confirmed"
    SKILL = "skill"
    ABSENCE = "absence"
    WORKING_HOURS = "working_hours"
    DOUBLE_BOOKING = "double_booking"
    TRAVEL = "travel"
    OVERTIME = "overtime"
    BREAK = "break"
    PART = "part"
    REMAINING_LIFE = "remaining_life"
    NOTICE = "notice"
    REFUSED_DAY = "refused_day"


HARD = frozenset(
    {
        Rule.HOUSEHOLD,
        Rule.BEGUN,
        Rule.WINDOW,
        Rule.STATE,
        Rule.LOCKED,
        Rule.CONFIRMED,
        Rule.SKILL,
        Rule.ABSENCE,
        Rule.WORKING_HOURS,
        Rule.DOUBLE_BOOKING,
    }
)
"""Nobody goes past these; past the others a person may, with a reason that is logged."""
NAMED = {
    Rule.TRAVEL: Blocking.TRAVEL,
    Rule.OVERTIME: Blocking.WORKING_HOURS,
    Rule.PART: Blocking.PART,
    Rule.REMAINING_LIFE: Blocking.REMAINING_LIFE,
}
"""The constraint that a ticket names as long as its visit breaks a rule."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that a technician and a window break.

    Attributes:
        rule: which.
        said: what explains it: `skill`, `since`, `minutes`, `sku`, `ref`, `until`.
    """

    rule: Rule
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def hard(self) -> bool:
        """Whether nobody may go past it."""
        return self.rule in HARD


class RuleError(DeskError):
    """A rule that nobody goes past forbids it.

    Attributes:
        breaches: all that are broken.
    """

    def __init__(self, breaches: tuple[Breach, ...]) -> None:
        super().__init__("not possible: " + ", ".join(str(each.rule) for each in breaches if each.hard))
        self.breaches = breaches


class ReasonError(NeedsReasonError):
    """Rules are broken that a person may go past, with a reason.

    Attributes:
        breaches: all that are broken.
    """

    def __init__(self, breaches: tuple[Breach, ...]) -> None:
        super().__init__("say why: " + ", ".join(str(each.rule) for each in breaches))
        self.breaches = breaches


class UndoError(ConflictError):
    """The move can no longer be taken back."""


class Consent(StrEnum):
    """What the owner of a visit has to do with a move: is asked, has agreed on the phone, or is only told."""

    ASK = "ask"
    AGREED = "agreed"
    TELL = "tell"


class MoveState(StrEnum):
    """What became of a move: open for some seconds, taken back, told to the owner, or overtaken by something else."""

    OPEN = "open"
    UNDONE = "undone"
    RELEASED = "released"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardMove:
    """A visit that was placed by hand.

    Attributes:
        at: fleet time.
        until: wall time; it can be undone before, and the owner is told after.
        visit: the new one.
        old: the one that it took the place of.
        before: state of the old visit (`visit`), and of the ticket (`state`, `reason`, `responsible`, `next_action`,
            `next_due`, `blocking`).
        version: of the ticket after the move.
        owner: what the owner has to do with it.
        rules: that were broken.
        reason: why.
    """

    id: UUID
    org: str
    ticket: UUID
    actor: str
    at: datetime
    until: datetime
    visit: UUID
    before: dict[str, Any]
    version: int
    owner: Consent
    old: UUID | None = None
    rules: tuple[str, ...] = ()
    reason: str = ""
    state: MoveState = MoveState.OPEN
    decided: datetime | None = None
