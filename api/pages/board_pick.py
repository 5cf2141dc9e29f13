"""A ticket that was picked on the board: where it could go, the best three, and what speaks against a chosen place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from api.context import Tx
from api.i18n import Words
from api.pages.board_paint import Cell, kind_name
from api.pages.board_view import DayView, case_title
from api.pages.board_words import breach_line, reasons_of
from api.pages.case import ICONS
from servicedesk.assigning import live_visit
from servicedesk.errors import UnknownError
from servicedesk.model import Technician, Visit
from servicedesk.moves import Consent, Rule
from servicedesk.planner import LENGTH
from servicedesk.planning import MOVABLE
from servicedesk.suggesting import suggest
from servicedesk.texts import text
from servicedesk.weighing import PLACEABLE, Placing, promised, weigh
from storage.read_desk import TicketView
from telemetry.catalogue import Catalogue

_FIRST_YEAR, _LAST_YEAR = 2000, 2200


@dataclass(frozen=True, slots=True)
class Place:
    """A technician and the begin of a window, as forms carry them."""

    technician: UUID
    start: datetime

    @property
    def word(self) -> str:
        """`<technician>|<begin>`, for a button's value."""
        return f"{self.technician}|{self.start.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


@dataclass(frozen=True, slots=True)
class SlotView:
    """A place on the board where the picked ticket could be dropped."""

    cell: Cell
    to: str
    free: bool
    label: str


@dataclass(frozen=True, slots=True)
class Idea:
    """One of the best three."""

    no: int
    name: str
    when: str
    to: str
    reasons: tuple[tuple[bool, str], ...]


@dataclass(frozen=True, slots=True)
class Target:
    """A chosen place that something speaks against.

    Attributes:
        hard: what nobody goes past.
        soft: what needs a reason.
        asks: the owner has confirmed another window: is it asked, or has it agreed?
    """

    name: str
    when: str
    to: str
    hard: tuple[str, ...]
    soft: tuple[str, ...]
    asks: bool


@dataclass(frozen=True, slots=True)
class PickView:
    """The picked ticket."""

    ref: str
    icon: str
    title: str
    kind: str
    where: str
    severity: int
    version: int
    visit: UUID | None
    now: str
    locked: str
    lockable: bool
    placeable: bool
    promised: bool
    slots: Mapping[UUID, tuple[SlotView, ...]]
    ideas: tuple[Idea, ...]
    blocking: str
    target: Target | None
    life: str


def sensible(day: date) -> bool:
    """Whether a day is one that people plan: of this century or the next."""
    return _FIRST_YEAR <= day.year < _LAST_YEAR


def read_place(word: str) -> Place | None:
    """The place that a form names, or None when it is none."""
    who, _, when = word.partition("|")
    try:
        start = datetime.fromisoformat(when)
        return Place(UUID(who), start) if start.tzinfo is not None and sensible(start.date()) else None
    except ValueError:
        return None


def pick_view(
    tx: Tx, t: Words, catalogue: Catalogue, row: TicketView, day: DayView, *, to: str, owner: str
) -> PickView:
    """Everything about a picked ticket on a day of the board."""
    office = tx.office
    ticket = office.desk.tickets.get(row.id)
    old = live_visit(office, ticket)
    movable = ticket.state in PLACEABLE and (old is None or old.state in MOVABLE)
    names = {each.id: each.name for each in day.technicians.values()}
    found = suggest(office, ticket, tx.now)
    free = {(each.technician, each.window.start) for each in found.free}
    ideas = tuple(
        Idea(
            number,
            each.name,
            _when(t, each.window.start),
            Place(each.technician, each.window.start).word,
            tuple(reasons_of(t, each)),
        )
        for number, each in enumerate(found.best, 1)
    )
    wanted = read_place(to) if to else None
    return PickView(
        ref=row.ref,
        icon=ICONS.get(row.kind, "plug"),
        title=case_title(t, catalogue, row.kind, row.family, row.fault),
        kind=kind_name(t, catalogue, row.kind),
        where=" · ".join(each for each in (row.household_name, row.area) if each),
        severity=row.severity,
        version=row.version,
        visit=None if old is None else old.id,
        now="" if old is None else _stands(t, old, names),
        locked="" if old is None else old.locked or "",
        lockable=old is not None and old.state in MOVABLE,
        placeable=movable,
        promised=promised(old),
        slots=_slots(t, day, free, old) if movable and not (old is not None and old.locked) else {},
        ideas=ideas if movable else (),
        blocking=t.pick(text("blocking", found.blocking)) if found.blocking else "",
        target=None if wanted is None else _target(tx, t, row, old, wanted, owner, day.technicians),
        life="",
    )


def _slots(
    t: Words, day: DayView, free: set[tuple[UUID, datetime]], old: Visit | None
) -> dict[UUID, tuple[SlotView, ...]]:
    """Every window of every technician of the day, the free ones marked; not the one where it stands."""
    slots = {}
    for lane in day.lanes:
        row = []
        for start, cell in day.windows:
            if old is not None and (old.technician, old.start) == (lane.id, start):
                continue
            is_free = (lane.id, start) in free
            what = {"name": lane.name, "window": t.window(start, start + LENGTH)}
            label = (
                t.plain("{name}, {window}: free", **what) if is_free else t.plain("{name}, {window}: not free", **what)
            )
            row.append(SlotView(cell, Place(lane.id, start).word, is_free, label))
        slots[lane.id] = tuple(row)
    return slots


def _target(  # noqa: PLR0917  (one place)
    tx: Tx,
    t: Words,
    row: TicketView,
    old: Visit | None,
    place: Place,
    owner: str,
    technicians: Mapping[UUID, Technician],
) -> Target | None:
    """What speaks against a place; None when nothing is known of it."""
    if place.technician not in technicians:
        return None
    consent = Consent(owner) if owner in ("ask", "agreed") else None
    ticket = tx.office.desk.tickets.get(row.id)
    try:
        breaches = weigh(tx.office, ticket, old, Placing(row.id, place.technician, place.start, consent), tx.now)
    except UnknownError:
        return None
    name = technicians[place.technician].name
    return Target(
        name=name,
        when=_when(t, place.start),
        to=place.word,
        hard=tuple(breach_line(t, each, name) for each in breaches if each.hard and each.rule is not Rule.CONFIRMED),
        soft=tuple(breach_line(t, each, name) for each in breaches if not each.hard),
        asks=any(each.rule is Rule.CONFIRMED for each in breaches) or (promised(old) and consent is not None),
    )


def _when(t: Words, start: datetime) -> str:
    return t.plain("{day}, {window}", day=t.weekday(start), window=t.window(start, start + LENGTH))


def _stands(t: Words, old: Visit, names: Mapping[UUID, str]) -> str:
    name = names.get(old.technician, t.plain("Technician"))
    return t.plain("now with {name}, {when}", name=name, when=_when(t, old.start))
