"""The dispatch board as its page draws it: lanes on a grid of ten minutes, and the cards of the tray."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from api.context import Tx
from api.i18n import Words
from api.pages.board_paint import STEP, Cell, Clash, Filter, Grid, LaneView, Painter
from api.pages.case import ICONS
from api.pages.slips import SOON
from servicedesk.dayboard import Item, Lane, lane_of
from servicedesk.feasibility import workdays_of
from servicedesk.model import Technician, Window
from servicedesk.planner import HOURS, LENGTH
from servicedesk.policy import fault_of
from servicedesk.states import VisitState
from servicedesk.texts import text
from storage.read_board import (
    BoardVisit,
    TrayCard,
    board_absences,
    board_visits,
)
from storage.read_models import Scope
from telemetry.catalogue import Catalogue

_FIRST, _LAST = 8, 20
_HOUR = timedelta(hours=1)
_EARLIEST, _LATEST = 5, 23
TRAYS = ("unassigned", "alerts", "hold")


@dataclass(frozen=True, slots=True)
class CardView:
    """A card of the tray."""

    ref: str
    icon: str
    title: str
    line: str
    left: str
    tone: str
    severity: int
    version: int
    visit: UUID | None


@dataclass(frozen=True, slots=True)
class DayView:
    """A day of the board.

    Attributes:
        hours: the labels of the hours, with their column.
        columns: how many steps of ten minutes.
        windows: starts of the windows of the day, with their cells.
        now: column of the present, if it is on the grid.
    """

    day: date
    zone: str
    hours: tuple[Cell, ...]
    columns: int
    windows: tuple[tuple[datetime, Cell], ...]
    now: int | None
    lanes: tuple[LaneView, ...]
    clashes: tuple[Clash, ...]
    technicians: Mapping[UUID, Technician] = field(default_factory=dict)

    @property
    def drops(self) -> list[tuple[str, int, int]]:
        """Where a card can be dropped: the begin of each window, its column and width."""
        return [(f"{start.astimezone(UTC):%Y-%m-%dT%H:%MZ}", cell.x, cell.w) for start, cell in self.windows]


def zone_of_board(technicians: Sequence[Technician]) -> str:
    """Where most technicians work; UTC without any."""
    zones = Counter(each.tz for each in technicians)
    return zones.most_common(1)[0][0] if zones else "UTC"


def day_lanes(
    tx: Tx, scope: Scope, technicians: Sequence[Technician], day: date, zone: ZoneInfo
) -> tuple[list[Lane], dict[UUID, BoardVisit]]:
    """A day's lanes with the visits of their blocks: three statements, whatever stands on it."""
    span = _span(day, zone)
    visits = board_visits(tx.conn, scope, span)
    away: dict[UUID, list[Window]] = {}
    for who, window in board_absences(tx.conn, scope, span):
        away.setdefault(who, []).append(window)
    of: dict[UUID, list[BoardVisit]] = {}
    for each in visits:
        of.setdefault(each.technician, []).append(each)
    workdays = workdays_of(tx.office, technicians)
    lanes = [
        lane_of(
            each,
            day,
            [_item(visit) for visit in of.get(each.id, ())],
            away.get(each.id, ()),
            workdays=workdays,
            travel=tx.office.travel,
            now=tx.now,
        )
        for each in technicians
    ]
    return lanes, {each.id: each for each in visits}


def day_view(
    tx: Tx, t: Words, catalogue: Catalogue, scope: Scope, *, day: date, people: Sequence[Technician], shown: Filter
) -> DayView:
    """A day of the board as it is drawn."""
    zone = ZoneInfo(zone_of_board(people))
    wanted = [each for each in people if _wanted(each, shown)]
    lanes, visits = day_lanes(tx, scope, wanted, day, zone)
    low, high = _hours(lanes, zone, day)
    start = datetime.combine(day, time(low), zone).astimezone(UTC)
    grid = Grid(start, (high - low) * 6)
    painter = Painter(t, catalogue, grid, visits, tx.now)
    by_id = {each.id: each for each in people}
    rows = tuple(painter.lane(by_id[each.technician], each, shown) for each in lanes)
    windows = tuple(
        (begin := datetime.combine(day, time(hour), zone).astimezone(UTC), grid.cell(begin, begin + LENGTH))
        for hour in HOURS
    )
    hours = tuple(Cell(index * 6, 6, f"{low + index:02d}:00") for index in range(high - low))
    now = grid.column(tx.now) if start <= tx.now < start + grid.columns * STEP else None
    return DayView(
        day=day,
        zone=str(zone),
        hours=hours,
        columns=grid.columns,
        windows=windows,
        now=now,
        lanes=rows,
        clashes=tuple(painter.clashes),
        technicians=by_id,
    )


def card_view(t: Words, catalogue: Catalogue, card: TrayCard, now: datetime, names: Mapping[UUID, str]) -> CardView:
    """A card of the tray: what, where, what to do, time left."""
    due = card.next_due
    late = due is not None and due < now
    left = "–" if due is None else t.plain("{span} late", span=t.span(now - due)) if late else t.span(due - now)
    tone = "" if due is None else "is-stop" if late else "is-warn" if due - now < SOON else ""
    what = t.pick(text("action", card.next_action))
    if card.away and card.technician is not None:
        what = t.plain("{name} is absent", name=names.get(card.technician, t.plain("Technician")))
    elif card.blocking:
        what = t.pick(text("blocking", card.blocking))
    where = t.plain("{a} · {b}", a=card.household, b=card.area) if card.household and card.area else card.household
    return CardView(
        ref=card.ref,
        icon=ICONS.get(card.kind, "plug"),
        title=case_title(t, catalogue, card.kind, card.family, card.fault),
        line=t.plain("{a} · {b}", a=where or card.area or "–", b=what),
        left=left,
        tone=tone,
        severity=card.severity,
        version=card.version,
        visit=card.visit,
    )


def case_title(t: Words, catalogue: Catalogue, kind: str, family: str, fault: str | None) -> str:
    """The fault in a few words, for staff."""
    found = fault_of(catalogue[kind], family, fault) if kind in catalogue else None
    return t.pick(found.title) if found is not None else family.replace("_", " ")


def cases_with(catalogue: Catalogue, skill: str) -> list[str]:
    """`kind/family/fault` of what needs a skill; a ticket that names no fault goes by its family's most frequent."""
    found = []
    for kind, spec in catalogue.kinds.items():
        for family in sorted({fault.family for fault in spec.faults.values()}):
            named = [None, *spec.family_faults(family)]
            faults = ((name, fault_of(spec, family, name)) for name in named)
            found += [f"{kind}/{family}/{name or ''}" for name, fault in faults if fault and fault.skill == skill]
    return found


def local_span(day: date, zone: ZoneInfo) -> Window:
    """A local day."""
    return _span(day, zone)


def _span(day: date, zone: ZoneInfo) -> Window:
    start = datetime.combine(day, time(), zone).astimezone(UTC)
    return Window(start, datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC))


def _item(visit: BoardVisit) -> Item:
    ready = visit.state in {"travelling", "on_site", "done"}
    return Item(
        visit=visit.id,
        window=Window(visit.start, visit.end),
        state=VisitState(visit.state),
        skill=visit.skill,
        minutes=visit.minutes,
        place=visit.place,
        arrived=visit.arrived,
        finished=visit.finished,
        missing=() if ready else tuple(sku for sku in visit.parts if sku not in visit.aside),
        latest=visit.latest,
    )


def _wanted(technician: Technician, shown: Filter) -> bool:
    return (
        (not shown.skill or shown.skill in technician.skills)
        and (not shown.area or technician.area in ("", shown.area))
        and (shown.technician is None or technician.id == shown.technician)
    )


def _hours(lanes: Iterable[Lane], zone: ZoneInfo, day: date) -> tuple[int, int]:
    """The hours of the grid: the windows', and earlier or later ones where there is something."""
    low, high = _FIRST, _LAST
    for lane in lanes:
        spans = [*([lane.shift] if lane.shift is not None else []), *(Window(b.begin, b.end) for b in lane.blocks)]
        for span in spans:
            begin, end = span.start.astimezone(zone), span.end.astimezone(zone)
            if begin.date() == day:
                low = min(low, begin.hour)
            if end.date() == day:
                high = max(high, -(-(end.hour * 60 + end.minute) // 60))
            elif end.date() > day:
                high = _LATEST
    return max(low, _EARLIEST), min(high, _LATEST)
