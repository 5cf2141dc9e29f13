"""Staff's ticket list in a real browser follows what happens."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from storage.pool import connect
from tests.api.case import Seeded

pytestmark = pytest.mark.browser


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
