"""A day is planned on the board by keyboard alone; cards are dragged; two people at once; axe on every state of it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from servicedesk.assigning import Hand, assign_visit
from servicedesk.replanning import PLAN_ALL
from servicedesk.suggesting import suggest
from servicedesk.weighing import Placing
from storage.pool import connect
from telemetry.catalogue import load_catalogue
from telemetry.clock import to_datetime
from tests.api.axe import axe_violations
from tests.api.board_case import busy
from tests.api.case import NOW, WALL, Seeded, office_of
from worker.chores import Work, carry_out
from worker.notify import Mailbox

pytestmark = pytest.mark.browser
FRIDAY = "/board?date=2026-11-20"
_SAID_YES = """
update visit set state = 'confirmed', confirmed = proposed
where state = 'proposed' and ticket = (select id from ticket where ref = %s)
"""
_LIVE = """
select v.technician::text, lower(v.span), v.state, v.locked from visit v join ticket t on t.id = v.ticket
where t.ref = %s and v.state in ('proposed', 'confirmed')
"""


@pytest.fixture
def board(browser: Browser, base_url: str, seeded: Seeded, database_url: str) -> Iterator[Page]:
    """The board of a Friday on a desk with some tickets."""
    with connect(database_url, application="test") as conn:
        busy(conn, seeded, planned=3, confirmed=2, waiting=4)
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = _in(context, base_url, seeded)
    page.goto(base_url + FRIDAY)
    yield page
    context.close()


def _in(context: BrowserContext, base_url: str, seeded: Seeded) -> Page:
    page = context.new_page()
    page.goto(f"{base_url}/login")
    page.locator("input[name=login]").fill("ana")
    page.locator("input[name=password]").fill(seeded.staff)
    page.keyboard.press("Enter")
    page.wait_for_url("**/dispatch")
    return page


def _live(database_url: str, ref: str) -> tuple[str, datetime, str, str | None] | None:
    with connect(database_url, application="test") as conn:
        return conn.execute(_LIVE, (ref,)).fetchone()  # type: ignore[return-value]


def _work(database_url: str) -> None:
    """What the worker does with the plan that was asked for."""
    with connect(database_url, application="test") as conn:
        jobs = conn.execute(
            "delete from procrastinate_jobs where task_name = %s returning args", (PLAN_ALL,)
        ).fetchall()
        assert jobs
        for (arguments,) in jobs:
            office = office_of(conn, load_catalogue(), random.Random(6), NOW)
            carry_out(Work(office, NOW), Mailbox(), PLAN_ALL, arguments)  # type: ignore[arg-type]


def _focused(page: Page, name: str) -> str:
    return str(page.evaluate(f"document.activeElement.closest('[data-key]')?.{name} ?? ''"))


def _suggested_and_taken_back(page: Page, database_url: str) -> None:
    """The best place by one key, and back."""
    key, unassigned = page.keyboard.press, page.locator(".bd-tabs .count").first
    expect(unassigned).to_have_text("4")
    key("j")
    ref = _focused(page, "dataset.ref")
    key("Enter")
    expect(page.locator(".bd-ideas")).to_be_visible()
    expect(page.locator("#say")).to_contain_text("Arrow keys choose technician and window")
    key("1")
    expect(page.locator(".bd-undo")).to_be_visible()
    expect(unassigned).to_have_text("3")
    assert _live(database_url, ref) is not None
    key("u")
    expect(page.locator(".bd-said")).to_contain_text("Taken back")
    expect(unassigned).to_have_text("4")
    assert _live(database_url, ref) is None


def _from_the_tray(page: Page, database_url: str) -> tuple[str, str]:
    """A card is picked, put back, picked again and placed. Returns its ticket and its place."""
    key = page.keyboard.press
    key("j")
    ref = _focused(page, "dataset.ref")
    key("Enter")
    page.locator(".slot.is-free:focus").wait_for()
    first = _focused(page, "value")
    for each in ("ArrowRight", "ArrowDown", "ArrowUp", "Escape"):
        key(each)
    expect(page.locator(".slot")).to_have_count(0)
    assert _focused(page, "dataset.ref") == ref
    key("Enter")
    page.locator(".slot.is-free:focus").wait_for()
    assert _focused(page, "value") == first
    key("Enter")
    expect(page.locator(".bd-placed")).to_be_visible()
    _stands(database_url, ref, first)
    return ref, first


def _moved(page: Page, database_url: str, ref: str, first: str) -> None:
    """The visit that was placed goes to another free window."""
    key = page.keyboard.press
    page.locator(f"a.bk[data-ref={ref}]").focus()
    key("Enter")
    page.locator(".slot:focus").wait_for()
    for _ in range(12):
        if page.evaluate("document.activeElement.classList.contains('is-free')") and _focused(page, "value") != first:
            break
        key("ArrowRight")
    target = _focused(page, "value")
    key("Enter")
    expect(page.locator(".slot")).to_have_count(0)
    _stands(database_url, ref, target)


def _locked(page: Page, database_url: str, ref: str) -> None:
    """It stays where it is, and that is said to whoever picks it."""
    page.locator(f"a.bk[data-ref={ref}]").focus()
    page.keyboard.press("l")
    expect(page.locator(f"a.bk[data-ref={ref}]")).to_contain_text("Locked")
    live = _live(database_url, ref)
    assert live is not None
    assert live[3] == "Ana"
    page.keyboard.press("Enter")
    expect(page.locator(".bd-plate")).to_contain_text("Ana locked this visit")
    page.keyboard.press("Escape")
    expect(page.locator(".bd-plate")).not_to_contain_text("Ana locked this visit")


def _stands(database_url: str, ref: str, place: str) -> None:
    live = _live(database_url, ref)
    assert live is not None
    who, _, start = place.partition("|")
    assert (live[0], live[1].astimezone(UTC), live[2]) == (who, datetime.fromisoformat(start), "proposed")


def test_a_day_is_planned_by_keyboard_alone(board: Page, database_url: str) -> None:
    page, said = board, list[str]()
    page.on("console", lambda message: said.append(message.text))
    key = page.keyboard.press
    _suggested_and_taken_back(page, database_url)
    ref, first = _from_the_tray(page, database_url)
    _moved(page, database_url, ref, first)
    _locked(page, database_url, ref)
    # Keys explain themselves.
    key("?")
    expect(page.locator("dialog")).to_be_visible()
    key("Escape")
    expect(page.locator("dialog")).to_be_hidden()
    # All at once, as a difference: one line accepted, another refused.
    key("p")
    page.wait_for_url("**/board/plans/*")
    expect(page.locator(".bd-plate")).to_contain_text("The plan is being made")
    _work(database_url)
    expect(page.locator("[data-line]").nth(1)).to_be_visible()
    for what, then in (("a", "Accepted"), ("x", "Refused")):
        key("j")
        line = _focused(page, "dataset.key")
        key(what)
        expect(page.locator(f"[data-key={line}]")).to_contain_text(then)
    key("Escape")
    page.wait_for_url("**/board")
    assert said == []


@pytest.mark.long
def test_cards_are_dragged_and_conflicts_are_said_before(board: Page, database_url: str) -> None:
    page = board
    card = page.locator("[data-card]").first
    ref = card.get_attribute("data-ref") or ""
    lane = page.locator(".lane", has_text="Jonas Weber")

    def drop(hour: int, over: str) -> None:
        track = page.locator(".lane", has_text=over).locator(".track").bounding_box()
        box = page.locator(f"[data-ref={ref}]").first.bounding_box()
        assert track is not None
        assert box is not None
        page.mouse.move(box["x"] + 30, box["y"] + 12)
        page.mouse.down()
        page.mouse.move(track["x"] + track["width"] * (hour - 8 + 0.5) / 12, track["y"] + 30, steps=5)
        expect(page.locator(".drop")).to_have_count(1)
        page.mouse.up()

    drop(14, "Jonas Weber")
    expect(lane.locator(f"a.bk[data-ref={ref}]")).to_be_visible()
    placed = _live(database_url, ref)
    assert placed is not None
    assert placed[1].astimezone(UTC) == datetime(2026, 11, 20, 6, tzinfo=UTC)

    # Somebody without the skill: refused, with the reason in words, and nothing moved.
    drop(10, "李强")
    expect(page.locator(".bd-rules")).to_contain_text("does not have the skill Cooling")
    expect(page.locator(".btn-primary")).to_have_count(1)
    assert _live(database_url, ref) == placed
    page.get_by_role("link", name="Choose another place").click()
    expect(page.locator(".bd-target")).to_have_count(0)
    page.keyboard.press("Escape")

    # The owner has confirmed: asked before it moves, and then asked for.
    with connect(database_url, application="test") as conn:
        conn.execute(_SAID_YES, (ref,))
        conn.execute("update ticket set state = 'planned', version = version + 1 where ref = %s", (ref,))
    expect(page.locator(f"a.bk[data-ref={ref}]")).to_contain_text("Agreed")
    drop(16, "Jonas Weber")
    expect(page.locator(".bd-plate")).to_contain_text("The owner has confirmed another window")
    page.get_by_label("Ask the owner: accept or choose another").check()
    page.get_by_role("button", name="Move it").click()
    expect(page.locator(".bd-target")).to_have_count(0)
    moved = _live(database_url, ref)
    assert moved is not None
    assert (moved[1].astimezone(UTC).hour, moved[2]) == (8, "proposed")


@pytest.mark.long
def test_the_second_of_two_people_sees_who_was_faster(board: Page, database_url: str, seeded: Seeded) -> None:
    page = board
    card = page.locator("[data-card]").first
    ref = card.get_attribute("data-ref") or ""
    card.click()
    page.locator(".slot:focus").wait_for()
    with connect(database_url, application="test") as conn:
        row = conn.execute("select id from ticket where ref = %s", (ref,)).fetchone()
        assert row is not None
        ticket = UUID(str(row[0]))
        catalogue, rng = load_catalogue(), random.Random(4)
        office = office_of(conn, catalogue, rng, NOW)
        best = suggest(office, office.desk.tickets.get(ticket), NOW).best[0]
        wish = Placing(ticket, best.technician, best.window.start)
        assign_visit(office, wish, Hand("dispatch:bo", "Bo", to_datetime(WALL)), NOW)
        conn.execute(
            "insert into staff_user (id, login, name, role, lang, password, created) select gen_random_uuid(), 'bo',"
            " 'Bo', role, lang, password, created from staff_user where login = 'ana'"
        )
    # What was begun is not disturbed; that something happened is said.
    expect(page.locator("#say")).to_contain_text("The board has changed")
    assert page.locator(".slot:focus").count() == 1
    page.keyboard.press("Enter")
    expect(page.locator(".bd-said")).to_contain_text(f"{ref} was changed while you looked")
    expect(page.locator(".bd-said")).to_contain_text("Bo")
    assert seeded.staff


@pytest.mark.long
def test_axe_finds_nothing_on_the_board(board: Page, base_url: str, database_url: str) -> None:
    page = board
    found: list[str] = []
    plan = page.locator("form[action='/board/plan'] button")
    plan.click()
    page.wait_for_url("**/board/plans/*")
    plans = page.url.removeprefix(base_url)
    found += axe_violations(page)
    _work(database_url)
    page.goto(base_url + FRIDAY)
    ref = page.locator("[data-card]").first.get_attribute("data-ref") or ""
    absent = page.locator(".lane", has_text="李强").get_attribute("data-who")
    paths = [
        FRIDAY,
        "/board?date=2026-11-19",
        f"{FRIDAY}&pick={ref}",
        f"{FRIDAY}&pick={ref}&to={absent}|2026-11-20T02:00Z",
        plans,
    ]
    for (width, height), scheme in itertools.product(((360, 740), (1366, 768)), ("light", "dark")):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for path, lang in itertools.product(paths, ("en", "zh")):
            page.goto(f"{base_url}{path}{'&' if '?' in path else '?'}lang={lang}")
            found += [f"{path} {lang} {scheme} {width}: {line}" for line in axe_violations(page)]
            assert page.locator(".plate").count() == 1
            assert page.locator(".btn-primary").count() == 1
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"{path} {lang} {width}: too wide")
    assert found == []


def test_a_day_is_planned_without_script(browser: Browser, base_url: str, seeded: Seeded, database_url: str) -> None:
    with connect(database_url, application="test") as conn:
        busy(conn, seeded, planned=0, confirmed=0, waiting=1)
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = _in(context, base_url, seeded)
    page.goto(base_url + FRIDAY)
    ref = page.locator("[data-card]").first.get_attribute("data-ref") or ""
    page.locator("[data-card]").first.click()
    page.get_by_label("Assign to").select_option(label="Jonas Weber")
    page.locator("select[name=hour]").select_option("12")
    page.get_by_role("button", name="Place the visit").click()
    assert page.locator(f".lane:has-text('Jonas Weber') a.bk[data-ref={ref}]").count() == 1
    assert _live(database_url, ref) is not None
    page.locator(".bd-undo button").click()
    assert "Taken back" in page.locator(".bd-said").inner_text()
    assert _live(database_url, ref) is None
    page.locator("[data-card]").first.click()
    page.locator(".slot.is-free").first.click()
    assert _live(database_url, ref) is not None
    context.close()
