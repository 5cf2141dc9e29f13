"""The owner's way in a real browser, with and without script: read, confirm, and nothing sideways."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from storage.pool import connect
from tests.api.case import Seeded

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("script", [True, False])
def test_the_owner_confirms_in_a_browser(browser: Browser, base_url: str, seeded: Seeded, *, script: bool) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=script, locale="en-GB")
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(base_url + seeded.alert)
    assert page.locator(".plate").count() == 1
    assert page.locator(".chart-narrow svg.chart").is_visible()
    page.get_by_role("button", name="Confirm this visit").click()
    page.wait_for_url("**/visit?done=confirmed")
    assert page.locator(".told").inner_text().startswith("Visit confirmed")
    page.get_by_role("link", name="中文").click()
    page.wait_for_url("**lang=zh*")
    assert page.locator("h1").inner_text() == "已为您约好上门"
    if script:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert said == []
    context.close()


def test_the_dispatch_list_follows_what_happens(
    browser: Browser, base_url: str, seeded: Seeded, database_url: str
) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-GB")
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{base_url}/login")
    page.get_by_label("Login").fill("ana")
    page.get_by_label("Password").fill(seeded.staff)
    with page.expect_response("**/dispatch/events") as stream:
        page.locator("form button[type=submit], form button").last.click()
        page.wait_for_url("**/dispatch")
    assert stream.value.headers["content-type"].startswith("text/event-stream")
    link = page.locator(".board").get_by_role("link", name=seeded.ref)
    link.focus()
    assert page.locator(".board tbody tr").count() == 1
    with connect(database_url, application="test") as conn:
        conn.execute("update ticket set state = 'hold', reason = 'x', version = version + 1")
    page.locator(".board tbody").get_by_text("On hold").wait_for()
    assert page.evaluate("document.activeElement.getAttribute('href')") == f"/tickets/{seeded.ref}"
    assert said == []
    context.close()
