from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from servicedesk.model import Booking, PartStock, Technician, Window
from servicedesk.planner import HOURS, LENGTH, Blocking, Demand, Offers, Roster, choose, offers, windows

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


def booked(*spans: Window, absent: bool = False) -> list[Booking]:
    return [Booking(window=each, ticket=None if absent else UUID(int=99)) for each in spans]


def ask(
    asked: Demand,
    people: list[Technician],
    taken: dict[UUID, list[Booking]] | None = None,
    stock: dict[str, PartStock] | None = None,
) -> Offers:
    return offers(asked, Roster(technicians=people, booked=taken or {}, stock=stock or {}))


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
    assert ask(asked, people, {}, stock).blocking is blocking


def test_a_full_calendar_is_named() -> None:
    spans = list(windows(NOW, NOW + timedelta(days=20), "Asia/Shanghai"))
    assert ask(demand(), [technician()], {UUID(int=1): booked(*spans)}).blocking is Blocking.DOUBLE_BOOKING


def test_a_part_on_its_way_delays_the_visit() -> None:
    arrives = NOW + timedelta(days=5)
    found = ask(demand(parts=("X",)), [technician()], {}, part(0, arrives)).found
    assert found[0].window.start >= arrives


def test_same_area_then_the_lighter_day() -> None:
    near, far = technician(2, area="west"), technician(1, area="east")
    found = ask(demand(area="west"), [far, near]).found
    assert found[0].technician == near.id
    busy = {UUID(int=1): booked(Window(NOW + timedelta(hours=30), NOW + timedelta(hours=32)))}
    assert ask(demand(), [technician(1), technician(2)], busy).found[0].technician == UUID(int=2)


def test_the_best_three_differ_in_half_day() -> None:
    found = ask(demand(), [technician()]).found
    best = choose(found, "Asia/Shanghai")
    assert len(best) == 3
    assert best[0] == found[0]
    local = [each.window.start.astimezone(ZoneInfo("Asia/Shanghai")) for each in best]
    assert len({(each.date(), each.hour < 12) for each in local}) == 3
