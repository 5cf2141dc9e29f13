from __future__ import annotations

import re
import string
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from servicedesk.invite import calendar_file
from servicedesk.model import Household, Technician, Ticket, Visit, Window
from servicedesk.planner import Blocking
from servicedesk.quiet import readable_from
from servicedesk.states import TicketState, VisitState
from servicedesk.texts import _FILE, notice_text, say_onset, say_window, stages, text
from tests.servicedesk.world import START, World, finding

_KNOWN = {"appliance", "noticed", "safe", "risk", "window", "technician", "hold", "ref", "cause", "days"}
_KNOWN |= {"day", "room", "kind", "date", "start", "end"}
_KNOWN |= {"words", "promise", "amount", "why", "price", "until", "severity"}
_KNOWN |= {"ways", "name", "begin", "back", "place", "open", "expected"}


def _texts(node: Any, path: str = "") -> list[tuple[str, dict[str, str]]]:  # noqa: ANN401  (a parsed file)
    if isinstance(node, dict) and set(node) <= {"zh", "en"}:
        return [(path, node)]
    items = node.items() if isinstance(node, dict) else enumerate(node)
    return [pair for key, below in items for pair in _texts(below, f"{path}.{key}")]


@pytest.mark.parametrize(("path", "both"), _texts(tomllib.loads(_FILE.read_text(encoding="utf-8"))))
def test_each_text_is_there_in_both_languages_with_the_same_places(path: str, both: dict[str, str]) -> None:
    places = [{name for _, name, _, _ in string.Formatter().parse(both[lang]) if name} for lang in ("zh", "en")]
    assert places[0] == places[1], path
    assert places[0] <= _KNOWN
    assert re.search(r"[\u4e00-\u9fff\uff00-\uffef]", both["zh"]) or both["zh"].startswith("{"), path


def test_every_stage_blocking_and_action_has_its_text() -> None:
    assert all(notice_text(stage).paragraphs for stage in stages())
    assert all(text("blocking", each).zh for each in Blocking)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_notice_leaves_no_place_unfilled(lang: str) -> None:
    world = World()
    world.change_household(lang=lang)
    ticket = world.opened()
    world.work()
    world.step(world.visit(ticket).hold_until - timedelta(minutes=1))
    world.confirm(ticket)
    world.repair(ticket)
    notices = world.notices(ticket)
    assert [each.stage for each in notices] == ["alert", "remind", "confirmed", "done"]
    for notice in notices:
        assert notice.lang == lang
        assert notice.link
        assert not re.search(r"[{}]", notice.subject + notice.body)
        assert all(paragraph for paragraph in notice.body.split("\n\n"))
    assert ("2月25日" if lang == "zh" else "25 February") in notices[0].body


def test_a_window_in_words() -> None:
    window = Window(datetime(2026, 11, 24, 1, tzinfo=UTC), datetime(2026, 11, 24, 3, tzinfo=UTC))
    assert say_window(window, "Asia/Shanghai", "zh") == "11月24日星期二 09:00至11:00"
    assert say_window(window, "Asia/Shanghai", "en") == "Tuesday 24 November, 09:00 to 11:00"


@pytest.mark.parametrize(("hour", "expected"), [(9, 9), (20, 20), (21, 32), (23, 32), (3, 8), (7, 8), (8, 8)])
def test_quiet_hours_in_the_households_zone(hour: int, expected: int) -> None:
    household = Household(
        id=UUID(int=1),
        org="demo",
        name="",
        lang="en",
        tz="UTC",
        registered=START,
        quiet_from=time(21),
        quiet_to=time(8),
    )
    day = datetime(2026, 3, 2, tzinfo=UTC)
    assert readable_from(day + timedelta(hours=hour), household, safety=False) == day + timedelta(hours=expected)
    assert readable_from(day + timedelta(hours=hour), household, safety=True) == day + timedelta(hours=hour)


@pytest.mark.parametrize(
    ("earlier", "later", "en", "zh"),
    [
        (timedelta(days=2), timedelta(days=2), "about 2 March", "大约从3月2日"),
        (timedelta(days=25), timedelta(), "2 March or before", "从3月2日或更早"),
        (timedelta(hours=5), timedelta(), "about 2 March", "大约从3月2日"),
    ],
)
def test_an_onset_known_only_at_the_latest_is_said_so(earlier: timedelta, later: timedelta, en: str, zh: str) -> None:
    onset = datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert say_onset(onset, earlier, later, "Asia/Shanghai", "en") == en
    assert say_onset(onset, earlier, later, "Asia/Shanghai", "zh") == zh


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_a_hold_never_ends_at_night(hour: int) -> None:
    world = World()
    world.now = START + timedelta(hours=hour)
    ticket = world.opened(finding(at=world.now))
    world.work()
    visit = world.visit(ticket)
    local = visit.hold_until.astimezone(ZoneInfo(world.household.tz))
    assert time(8) <= local.timetz().replace(tzinfo=None) <= time(21), local
    assert world.now < visit.hold_until < visit.start


def test_the_calendar_entry_keeps_its_identity_when_the_visit_moves() -> None:
    world = World()
    ticket = world.opened(finding())
    world.work()
    visit = world.visit(ticket)
    technician = world.desk.people.technicians("demo")[0]
    entries = [_entry(each, ticket, world.household, technician) for each in (visit, _moved(visit))]
    assert entries[0]["UID"] == entries[1]["UID"]
    assert (entries[0]["SEQUENCE"], entries[1]["SEQUENCE"]) == (0, 1)
    assert entries[0]["STATUS"] == "TENTATIVE"
    assert entries[1]["STATUS"] == "CONFIRMED"
    assert entries[1].decoded("DTSTART") == visit.start + timedelta(days=1)


def _moved(visit: Visit) -> Visit:
    day = timedelta(days=1)
    return replace(
        visit, id=UUID(int=9), start=visit.start + day, end=visit.end + day, sequence=1, state=VisitState.CONFIRMED
    )


def _entry(visit: Visit, ticket: Ticket, household: Household, technician: Technician) -> Any:  # noqa: ANN401  (untyped library)
    assert ticket.state is TicketState.OPEN
    data = calendar_file(visit, ticket, household, technician, appliance="Fridge", now=START)
    (event,) = Calendar.from_ical(data).walk("VEVENT")
    return event
