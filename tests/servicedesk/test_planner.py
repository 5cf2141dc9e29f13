from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicedesk.model import PartStock, Technician, Window
from servicedesk.planner import HOURS, LENGTH, Blocking, Demand, choose, offers, windows, works

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
WEEK = ((480, 1200),) * 7


def technician(number: int = 1, *, skills: tuple[str, ...] = ("cooling",), **changes: object) -> Technician:
    given: dict[str, object] = {"tz": "Asia/Shanghai", "hours": WEEK} | changes
    return Technician(id=UUID(int=number), org="demo", name=f"T{number}", skills=skills, **given)  # type: ignore[arg-type]


def demand(**changes: object) -> Demand:
    given: dict[str, object] = {
        "skill": "cooling",
        "parts": (),
        "earliest": NOW + timedelta(hours=20),
        "latest": None,
        "until": NOW + timedelta(days=14),
        "tz": "Asia/Shanghai",
    } | changes
    return Demand(**given)  # type: ignore[arg-type]


def part(free: int, arrives: datetime | None = None) -> dict[str, PartStock]:
    return {"X": PartStock(org="demo", sku="X", on_hand=free, arrives=arrives)}


def test_windows_are_local_two_hour_windows() -> None:
    found = list(windows(NOW, NOW + timedelta(days=2), "Asia/Shanghai"))
    assert found[0].start == datetime(2026, 3, 2, 10, tzinfo=UTC)  # 18:00 in Shanghai
    assert {each.start.astimezone(ZoneInfo("Asia/Shanghai")).hour for each in found} == set(HOURS)
    assert {each.end - each.start for each in found} == {LENGTH}


def test_windows_over_the_change_to_summer_time() -> None:
    start = datetime(2026, 3, 28, tzinfo=UTC)
    found = list(windows(start, start + timedelta(days=3), "Europe/Berlin"))
    assert {each.start.astimezone(ZoneInfo("Europe/Berlin")).hour for each in found} == set(HOURS)
    assert [each.start for each in found if each.start.hour == 6] == [
        datetime(2026, 3, 29, 6, tzinfo=UTC),
        datetime(2026, 3, 30, 6, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("blocking", "asked", "people", "stock"),
    [
        (Blocking.SKILL, demand(skill="pump"), [technician()], {}),
        (Blocking.SKILL, demand(), [technician(active=False)], {}),
        (Blocking.PART, demand(parts=("X",)), [technician()], {}),
        (Blocking.PART, demand(parts=("X",)), [technician()], part(0)),
        (Blocking.PART, demand(parts=("X",)), [technician()], part(0, NOW + timedelta(days=20))),
        (Blocking.WORKING_HOURS, demand(), [technician(hours=(None,) * 7)], {}),
        (Blocking.REMAINING_LIFE, demand(latest=NOW + timedelta(hours=5)), [technician()], {}),
    ],
)
def test_the_blocking_constraint_is_named(
    blocking: Blocking, asked: Demand, people: list[Technician], stock: dict[str, PartStock]
) -> None:
    assert offers(asked, people, {}, stock).blocking is blocking


def test_a_full_calendar_is_named() -> None:
    booked = {UUID(int=1): [Window(NOW, NOW + timedelta(days=20))]}
    assert offers(demand(), [technician()], booked, {}).blocking is Blocking.DOUBLE_BOOKING


def test_a_part_on_its_way_delays_the_visit() -> None:
    arrives = NOW + timedelta(days=5)
    found = offers(demand(parts=("X",)), [technician()], {}, part(0, arrives)).found
    assert found[0].window.start >= arrives


def test_same_area_then_the_lighter_day() -> None:
    near, far = technician(2, area="west"), technician(1, area="east")
    found = offers(demand(area="west"), [far, near], {}, {}).found
    assert found[0].technician == near.id
    busy = {UUID(int=1): [Window(NOW + timedelta(hours=30), NOW + timedelta(hours=32))]}
    assert offers(demand(), [technician(1), technician(2)], busy, {}).found[0].technician == UUID(int=2)


def test_the_best_three_differ_in_half_day() -> None:
    found = offers(demand(), [technician()], {}, {}).found
    best = choose(found, "Asia/Shanghai")
    assert len(best) == 3
    assert best[0] == found[0]
    local = [each.window.start.astimezone(ZoneInfo("Asia/Shanghai")) for each in best]
    assert len({(each.date(), each.hour < 12) for each in local}) == 3


moments = st.integers(0, 14 * 24 * 4).map(lambda quarter: NOW + timedelta(minutes=15 * quarter))
spans = st.tuples(moments, st.integers(1, 12)).map(lambda pair: Window(pair[0], pair[0] + timedelta(hours=pair[1])))
days = st.one_of(st.none(), st.tuples(st.integers(0, 720), st.integers(721, 1440)))


@settings(max_examples=60, deadline=None)
@given(
    hours=st.lists(days, min_size=7, max_size=7),
    busy=st.lists(spans, max_size=12),
    earliest=moments,
    latest=st.one_of(st.none(), moments),
    tz=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]),
)
def test_every_offer_keeps_every_constraint(
    hours: list[tuple[int, int] | None], busy: list[Window], earliest: datetime, latest: datetime | None, tz: str
) -> None:
    who = technician(hours=tuple(hours), tz=tz)
    found = offers(demand(earliest=earliest, latest=latest, tz="Europe/Berlin"), [who], {who.id: busy}, {})
    assert bool(found.found) or found.blocking is not None
    for offer in found.found:
        assert offer.window.start >= earliest
        assert works(who, offer.window)
        assert not any(offer.window.overlaps(other) for other in busy)
        assert latest is None or offer.window.end <= latest or found.blocking is Blocking.REMAINING_LIFE
