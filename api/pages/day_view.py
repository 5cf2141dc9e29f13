"""A technician's day as its pages show it: stops in their order, what goes into the van, and one visit in full."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from api.context import Context, Tx
from api.i18n import Words
from api.pages.case import ICONS, load_case
from api.pages.day_words import DELAYS, phase_name
from api.pages.prices import money
from servicedesk.access import access_today
from servicedesk.checklists import Phase
from servicedesk.door_code import door_code
from servicedesk.money import price_list
from servicedesk.on_the_road import AHEAD, steps_of
from servicedesk.policy import fault_of
from servicedesk.quoting import agreed
from servicedesk.selfcheck import progress
from servicedesk.states import VisitState
from servicedesk.travel import Place
from storage.read_day import DayVisit, OnTheRoadRow, day_visits
from storage.read_desk import get_ticket
from storage.read_devices import get_finding
from storage.read_models import Scope
from telemetry.catalogue import Text

LIVE = (*AHEAD, VisitState.ON_SITE)
"""Something is still to be done."""
_ROAD = (VisitState.CONFIRMED, VisitState.TRAVELLING, VisitState.ON_SITE, VisitState.DONE, VisitState.MISSED)


@dataclass(frozen=True, slots=True)
class PartLine:
    """A part that a visit brings."""

    sku: str
    title: str
    packed: bool


@dataclass(frozen=True, slots=True)
class Stop:
    """A visit on the list.

    Attributes:
        travel: minutes from the stop before, or from home; None where it does not matter any more.
        panes: the states whose plate the phone may need without a connection, the present one first.
        expected: when the technician said to be there, where that is later than the window's beginning.
    """

    row: DayVisit
    icon: str
    appliance: str
    fault: str
    code: str
    parts: list[PartLine]
    travel: int | None
    expected: datetime | None

    @property
    def panes(self) -> list[str]:
        """See the class."""
        if self.row.state not in LIVE:
            return [self.row.state]
        state = VisitState.CONFIRMED if self.row.state == VisitState.DISPATCHED else VisitState(self.row.state)
        return [str(each) for each in _ROAD[_ROAD.index(state) :]]

    @property
    def live(self) -> bool:
        """Whether something is still to be done."""
        return self.row.state in LIVE

    @property
    def path(self) -> str:
        """Its page."""
        return f"/day/visits/{self.row.id}"


@dataclass(frozen=True, slots=True)
class Phased:
    """A part of the checklist: its name, and `(id, words, ticked)` of its steps."""

    id: str
    name: str
    steps: list[tuple[str, str, bool]]


def day_of(day: date, t: Words) -> tuple[datetime, datetime]:
    """A day of a technician, from midnight to midnight on the wall where they live."""
    start = datetime.combine(day, time(), t.zone)
    return start, datetime.combine(day + timedelta(days=1), time(), t.zone)


def stops_of(tx: Tx, context: Context, t: Words, scope: Scope, who: OnTheRoadRow, day: date) -> list[Stop]:  # noqa: PLR0917  (all of them are the day)
    """The stops of a day, in their order."""
    start, until = day_of(day, t)
    rows = day_visits(tx.conn, scope, str(who.id), start, until)
    before: Place | None = who.home
    stops = []
    for row in rows:
        ahead = row.state in AHEAD
        travel = round(tx.office.travel.between(before, row.place) / 60) if ahead else None
        stops.append(stop_of(tx, context, t, row, travel))
        if row.state not in (VisitState.CANCELLED, VisitState.MISSED):
            before = row.place
    return stops


def stop_of(tx: Tx, context: Context, t: Words, row: DayVisit, travel: int | None = None) -> Stop:
    """A visit as a stop."""
    kind = context.catalogue.kinds.get(row.kind)
    fault = fault_of(kind, row.family, row.fault) if kind is not None else None
    name = t.pick(kind.title) if kind is not None else row.kind
    if row.room:
        name = t.plain("{appliance}, {room}", appliance=name, room=t.room(row.room))
    titles = {part.sku: part.title for part in fault.parts} if fault is not None else {}
    packed = {each.step for each in tx.office.desk.day.ticks(row.id) if each.done}
    return Stop(
        row=row,
        icon=ICONS.get(row.kind, "plug"),
        appliance=name,
        fault=t.pick(fault.title) if fault is not None else row.family.replace("_", " "),
        code=door_code(row.id),
        parts=[
            PartLine(sku, t.pick(titles.get(sku, Text(sku, sku))), f"{Phase.VAN}:{sku}" in packed) for sku in row.parts
        ],
        travel=travel,
        expected=row.expected if row.state in AHEAD and row.expected and row.expected > tx.now else None,
    )


def van_of(stops: list[Stop]) -> list[tuple[str, str, int]]:
    """What must go into the van for the visits ahead and is not in it yet: SKU, title, pieces."""
    missing = [part for stop in stops if stop.row.state in AHEAD for part in stop.parts if not part.packed]
    count = Counter(part.sku for part in missing)
    titles = {part.sku: part.title for part in missing}
    return [(sku, titles[sku], pieces) for sku, pieces in sorted(count.items())]


def visit_values(tx: Tx, context: Context, t: Words, row: DayVisit) -> dict[str, Any]:
    """Everything on the page of one visit."""
    office, scope = tx.office, Scope(org=row.org)
    ticket, visit = office.case(row.id)
    view = get_ticket(tx.conn, scope, row.ticket)
    if view is None:
        raise LookupError(f"visit {row.id} has no ticket")
    finding = get_finding(tx.conn, scope, row.finding) if row.finding is not None else None
    case = load_case(tx, context.catalogue, view, finding, [], t)
    ticks = {each.step for each in office.desk.day.ticks(row.id) if each.done}
    steps = steps_of(office, ticket, visit)
    check = progress(office, ticket)
    return {
        "stop": stop_of(tx, context, t, row),
        "causes": case.causes(),
        "reasons_told": case.reasons(),
        "phases": [
            Phased(
                str(phase),
                phase_name(t, phase),
                [(step.id, t.pick(step.text), step.id in ticks) for step in steps if step.phase is phase],
            )
            for phase in Phase
            if phase is not Phase.VAN and any(step.phase is phase for step in steps)
        ],
        "access": access_today(office, visit, tx.now),
        "checked": [
            (t.pick(check.guide[each.step - 1]), t.pick(check.guide[each.step - 1].choices()[each.answer]))
            for each in check.answers
            if each.step <= len(check.guide) and each.answer in check.guide[each.step - 1].choices()
        ],
        "photos": [each.id for each in office.desk.care.help.photos(row.ticket)],
        "may_tell": row.state in AHEAD,
        "delays": [(each, max(tx.now, row.start) + timedelta(minutes=each)) for each in DELAYS],
    }


def outcome_values(tx: Tx, context: Context, t: Words, row: DayVisit) -> dict[str, Any]:
    """What the form of the outcome offers: causes by likelihood, the parts, and the most that may be charged."""
    office = tx.office
    ticket, _ = office.case(row.id)
    kind = context.catalogue.kinds.get(row.kind)
    known = {name: t.pick(fault.title) for name, fault in kind.faults.items()} if kind is not None else {}
    found = get_finding(tx.conn, Scope(org=row.org), row.finding) if row.finding is not None else None
    ranked = [each.fault for each in found.finding.causes if each.fault in known] if found is not None else []
    titles = {part.sku: t.pick(part.title) for each in (kind.faults.values() if kind else ()) for part in each.parts}
    own = {part.sku for each in (kind.family_faults(row.family).values() if kind else ()) for part in each.parts}
    most, _quote = agreed(office, ticket, tx.now)
    return {
        "ranked": [(name, known[name]) for name in ranked],
        "others": [(name, title) for name, title in known.items() if name not in ranked],
        "fitted": [(sku, titles.get(sku, sku)) for sku in row.parts],
        "spare": [(sku, title, sku in own) for sku, title in sorted(titles.items()) if sku not in row.parts],
        "own": sorted(own),
        "most": most,
        "agreed": money(t, most, price_list().currency),
    }
