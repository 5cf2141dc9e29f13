"""Ways of repair: both forms of the repository keep the same promises."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from servicedesk.care_rows import ConsentChange, Purpose, Survey
from servicedesk.errors import ConflictError, UnknownError
from servicedesk.model import TicketEvent
from servicedesk.way_rows import Way, WayCase, WayKind, WayState
from tests.servicedesk.world import START
from tests.worker_desk.stored import Store, added

POINT = Way(
    id=uuid.uuid4(),
    org="demo",
    kind=WayKind.SERVICE_POINT,
    name="North Gate",
    kinds=("refrigerator",),
    areas=("north",),
    skills=("cooling",),
    address="Road 9",
    phone="1",
    hours="9-18",
    lead_days=1,
    work_days=3,
)


def test_ways_come_back_by_name_and_inactive_ones_do_not(store: Store) -> None:
    ways = store.desk.ways
    other = replace(POINT, id=uuid.uuid4(), name="Depot", kind=WayKind.MAIL_IN)
    for way in (POINT, other, replace(POINT, id=uuid.uuid4(), name="Shut", active=False)):
        ways.register(way)
    assert ways.of_org("demo") == [other, POINT]
    assert ways.of_org("elsewhere") == []
    ways.register(replace(other, name="Old depot"))
    assert ways.get(other.id).name == "Old depot"
    with pytest.raises(UnknownError):
        ways.get(uuid.uuid4())


def test_a_ticket_is_mended_in_one_way_at_a_time(store: Store) -> None:
    ways, row = store.desk.ways, added(store)
    ways.register(POINT)
    case = WayCase(
        id=uuid.uuid4(),
        ticket=row.id,
        way=POINT.id,
        state=WayState.BOOKED,
        begins=START + timedelta(days=1),
        back=START + timedelta(days=4),
        made=START,
    )
    ways.book(case)
    with pytest.raises(ConflictError):
        ways.book(replace(case, id=uuid.uuid4()))
    assert ways.case(case.id) == case
    over = ways.save(replace(case, state=WayState.RETURNED, cause="x", mended=True, note="n", returned=START))
    assert ways.of_ticket(row.id) == [over]
    with pytest.raises(ConflictError):
        ways.save(case)
    ways.book(replace(case, id=uuid.uuid4(), made=START + timedelta(days=9)))
    with pytest.raises(UnknownError):
        ways.case(uuid.uuid4())


def test_what_became_of_a_way_s_cases(store: Store) -> None:
    ways, row = store.desk.ways, added(store)
    ways.register(POINT)
    returned = START + timedelta(days=4)
    case = WayCase(
        id=uuid.uuid4(), ticket=row.id, way=POINT.id, state=WayState.BOOKED, begins=START, back=returned, made=START
    )
    ways.book(case)
    assert ways.past(POINT.id, START) == []
    ways.save(replace(case, state=WayState.RETURNED, mended=True, returned=returned))
    again = TicketEvent(
        ticket=row.id, at=returned + timedelta(days=3), kind="moved", actor="system", body={"new": "reopened"}
    )
    store.desk.tickets.log(again)
    store.desk.care.surveys.ask(Survey(ticket=row.id, asked=returned))
    (past,) = ways.past(POINT.id, START)
    assert (past.returned, past.mended, past.reopened, past.rating) == (returned, True, again.at, None)
    assert ways.past(POINT.id, returned + timedelta(seconds=1)) == []
    change = ConsentChange(
        id=uuid.uuid4(), household=store.household, purpose=Purpose.ANALYTICS, granted=False, at=START, actor="owner"
    )
    store.desk.care.privacy.change(change)
    assert ways.past(POINT.id, START) == []
