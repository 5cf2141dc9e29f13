"""A day is planned on the board by keyboard alone; cards are dragged; two people at once; axe on every state of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from servicedesk.office import DISPATCH
from servicedesk.planning import take_window
from storage.pool import connect
from tests.api.axe import axe_violations
from tests.api.board_case import busy
from tests.api.case import Seeded

pytestmark = pytest.mark.browser
FRIDAY = "/board?date=2026-11-20"
_OPEN = "select ref from ticket where id = any(%s) and not exists (select from visit v where v.ticket = ticket.id and v.state in ('proposed', 'confirmed'))"  # noqa: E501  (one statement)
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


def _focused(page: Page, name: str) -> str:
    return str(page.evaluate(f"document.activeElement.closest('[data-key]')?.{name} ?? ''"))


def test_a_day_is_planned_by_keyboard_alone(board: Page, database_url: str) -> None:
    page, said = board, list[str]()
    page.on("console", lambda message: said.append(message.text))
    key = page.keyboard.press
    unassigned = page.locator(".bd-tabs .count").first
    expect(unassigned).to_have_text("4")

    # The best place by one key, and back.
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

    # From the tray to a technician and a window.
    key("j")
    ref = _focused(page, "dataset.ref")
    key("Enter")
    page.locator(".slot.is-free:focus").wait_for()
    first = _focused(page, "value")
    key("ArrowRight")
    key("ArrowDown")
    key("ArrowUp")
    page.keyboard.press("Escape")
    expect(page.locator(".slot")).to_have_count(0)
    assert _focused(page, "dataset.ref") == ref
    key("Enter")
    page.locator(".slot.is-free:focus").wait_for()
    assert _focused(page, "value") == first
    key("Enter")
    expect(page.locator(".bd-placed")).to_be_visible()
    placed = _live(database_url, ref)
    assert placed is not None
    who, _, start = first.partition("|")
    assert (placed[0], placed[1].astimezone(UTC)) == (who, datetime.fromisoformat(start))
    assert placed[2] == "proposed"

    # The visit that was placed is moved one window on.
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
    moved = _live(database_url, ref)
    assert moved is not None
    assert (moved[0], moved[1].astimezone(UTC)) == (target.split("|")[0], datetime.fromisoformat(target.split("|")[1]))

    # Locked where it is, and what cannot be done is said.
    page.locator(f"a.bk[data-ref={ref}]").focus()
    key("l")
    expect(page.locator(f"a.bk[data-ref={ref}]")).to_contain_text("Locked")
    locked = _live(database_url, ref)
    assert locked is not None
    assert locked[3] == "Ana"
    key("Enter")
    expect(page.locator(".bd-plate")).to_contain_text("Ana locked this visit")
    key("Escape")

    # Keys explain themselves.
    key("?")
    expect(page.locator("dialog")).to_be_visible()
    key("Escape")
    expect(page.locator("dialog")).to_be_hidden()

    # All at once, as a difference.
    key("p")
    page.wait_for_url("**/board/plans/*")
    rows = page.locator("[data-line]")
    key("j")
    line = _focused(page, "dataset.key")
    key("a")
    expect(page.locator(f"[data-key={line}]")).to_contain_text("Accepted")
    assert rows.count() >= 4
    key("j")
    other = _focused(page, "dataset.key")
    key("x")
    expect(page.locator(f"[data-key={other}]")).to_contain_text("Refused")
    key("Escape")
    page.wait_for_url("**/board")
    assert said == []
