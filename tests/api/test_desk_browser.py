"""Dispatch in a real browser: from the list to a ticket by keyboard, a note, an answer, and two dispatchers at once."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from storage.access import Role, create_staff
from storage.pool import connect
from telemetry.clock import to_datetime
from tests.api.axe import axe_violations
from tests.api.case import WALL, Seeded

pytestmark = pytest.mark.browser


def enter(browser: Browser, base_url: str, login: str, password: str, *, script: bool = True) -> Page:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB", java_script_enabled=script)
    page = context.new_page()
    page.goto(f"{base_url}/login")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/dispatch")
    return page


@pytest.mark.long
def test_two_dispatchers_and_one_ticket(browser: Browser, base_url: str, seeded: Seeded, database_url: str) -> None:
    with connect(database_url, application="test") as conn:
        bo = create_staff(conn, "bo", now=to_datetime(WALL), name="Bo", role=Role.DISPATCHER)
    ana = enter(browser, base_url, "ana", seeded.staff)
    said: list[str] = []
    ana.on("console", lambda message: said.append(message.text))
    ana.keyboard.press("/")
    ana.keyboard.type("LX260")
    ana.keyboard.press("Enter")
    ana.wait_for_url("**q=LX260*")
    ana.keyboard.press("j")
    expect(ana.locator(".board").get_by_role("link", name=seeded.ref)).to_be_focused()
    ana.keyboard.press("Enter")
    ana.wait_for_url(f"**/tickets/{seeded.ref}")
    # What is needed to decide stands on one screen.
    for name in ("Next action", "Clocks", "Timeline", "Likely causes"):
        expect(ana.get_by_role("heading", name=name)).to_be_in_viewport()
    ana.get_by_role("button", name="Look closer").click()
    expect(ana.locator("#chart canvas")).to_be_visible()
    ana.get_by_label("Your words").fill("Cat at home")
    ana.get_by_role("button", name="Save the note").click()
    expect(ana.locator(".memo")).to_contain_text("Cat at home")
    assert ana.locator(".bubble").count() == 0
    # Bo, without script, is quicker with an answer.
    other = enter(browser, base_url, "bo", bo, script=False)
    other.goto(f"{base_url}/tickets/{seeded.ref}")
    ana.get_by_text("To the owner").first.click()
    ana.get_by_label("Your words").fill("We come on Thursday.")
    other.get_by_label("To the owner").check(force=True)
    other.get_by_label("Your words").fill("It is safe until then.")
    other.get_by_role("button", name="Send to the owner").click()
    expect(other.locator(".bubble")).to_contain_text("Bo to the owner")
    ana.get_by_role("button", name="Send to the owner").click()
    expect(ana.get_by_role("alert")).to_contain_text("This ticket changed while you were writing.")
    expect(ana.get_by_role("alert")).to_contain_text("Bo to the owner: It is safe until then.")
    expect(ana.get_by_label("Your words")).to_have_value("We come on Thursday.")
    assert axe_violations(ana) == []
    ana.get_by_role("button", name="Send to the owner").click()
    expect(ana.locator(".bubble")).to_have_count(2)
    # The refused answer was said once, in the console of the browser alone.
    assert [line for line in said if "409" not in line] == []
    other.context.close()
    ana.context.close()
