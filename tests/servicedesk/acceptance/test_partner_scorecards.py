"""Partners: a scorecard (first-time fix, no fault found, CSAT, repeat); below the bar nothing is automatic."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from servicedesk.care_rows import Purpose
from servicedesk.errors import UnknownError
from servicedesk.office import DISPATCH, OWNER
from servicedesk.partners import card_of, scorecard
from servicedesk.privacy import set_consent
from servicedesk.states import TicketState
from servicedesk.way_offers import way_offers
from servicedesk.way_rows import PastCase, Way, WayCase, WayKind, WayState
from servicedesk.ways import take_way
from tests.servicedesk.world import START, World

PARTNER = Way(id=uuid.UUID(int=3), org="demo", kind=WayKind.PARTNER, name="Cool & Co")
DAY = timedelta(days=1)


def past(*, mended: bool = True, again: int | None = None, rating: int | None = None) -> PastCase:
    return PastCase(
        returned=START, mended=mended, reopened=None if again is None else START + again * DAY, rating=rating
    )


@pytest.mark.parametrize(
    ("cases", "below"),
    [
        ([], ()),
        ([past(mended=False)] * 3, ()),
        ([past(mended=False)] * 20, ("fixed_at_once",)),
        ([past()] * 17 + [past(mended=False)] * 3, ()),
        ([past(again=10)] * 15 + [past()] * 5, ("fixed_at_once", "repeat")),
        ([past(again=90)] * 4 + [past()] * 16, ()),
        ([past(rating=2)] * 5, ("rating",)),
        ([past(rating=2)] * 4, ()),
    ],
)
def test_the_bar_needs_evidence(cases: list[PastCase], below: tuple[str, ...]) -> None:
    assert card_of(cases).below == below


def test_below_the_bar_nobody_is_sent_unasked() -> None:
    world = World()
    ticket = world.opened()
    world.desk.ways.register(PARTNER)
    assert [each.way for each in way_offers(world.office, ticket, world.now)] == [PARTNER]
    for number in range(15):
        row = replace(ticket, id=uuid.uuid4(), finding=None, state=TicketState.CLOSED)
        world.desk.tickets.rows[row.id] = row
        case = WayCase(
            id=uuid.uuid4(),
            ticket=row.id,
            way=PARTNER.id,
            state=WayState.RETURNED,
            begins=START - 9 * DAY,
            back=START - 2 * DAY,
            made=START - 10 * DAY,
            returned=START - timedelta(days=2 + number),
            mended=False,
        )
        world.desk.ways.cases[case.id] = case
    assert scorecard(world.office, PARTNER, world.now).below == ("fixed_at_once",)
    assert way_offers(world.office, ticket, world.now) == ()
    with pytest.raises(UnknownError):
        take_way(world.office, ticket.id, PARTNER.id, world.now, OWNER)
    # A dispatcher who knows why still may.
    assert take_way(world.office, ticket.id, PARTNER.id, world.now, DISPATCH).state is WayState.BOOKED
    # Who does not agree to be counted is not.
    set_consent(world.office, world.household.id, Purpose.ANALYTICS, world.now, OWNER, granted=False)
    assert scorecard(world.office, PARTNER, world.now).cases == 0
    set_consent(world.office, world.household.id, Purpose.ANALYTICS, world.now, OWNER, granted=True)
    # A year later nobody remembers.
    assert scorecard(world.office, PARTNER, world.now + timedelta(days=400)).cases == 0
