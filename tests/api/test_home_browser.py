"""An owner's way from the report over the rating to "not fixed" on a phone; and axe on the household's pages."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from storage.pool import connect
from tests.api.axe import axe_violations
from tests.api.case import Seeded
from tests.api.home_states import furnished, proven, quoted

pytestmark = pytest.mark.browser
PHONE, DESK = (360, 740), (1366, 768)


def prepare(url: str, seeded: Seeded) -> None:
    with connect(url, application="test") as conn:
        quoted(conn, seeded, "expired")
        proven(conn, seeded)
        furnished(conn, seeded)


def looked_at(page: Page, path: str) -> list[str]:
    """What axe finds, and how much too wide the page is."""
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    found = [f"{path}: {line}" for line in axe_violations(page)]
    return [*found, f"{path}: {wide} px too wide"] if wide > 0 else found


@pytest.mark.long
def test_report_rating_not_fixed_with_and_without_script(
    browser: Browser, base_url: str, seeded: Seeded, database_url: str
) -> None:
    prepare(database_url, seeded)
    plain = browser.new_context(
        viewport={"width": PHONE[0], "height": PHONE[1]}, locale="zh-CN", java_script_enabled=False
    )
    page = plain.new_page()
    page.goto(f"{base_url}{seeded.alert}/report?lang=zh")
    assert page.locator("h1").inner_text() == "已经修好：恢复正常满3天"
    assert page.locator(".chart-narrow svg.chart").is_visible()
    # The keyboard reaches the five keys as one group, as radio buttons are reached.
    page.get_by_role("radio", name="5分，满分5分").focus()
    page.keyboard.press("ArrowLeft")
    assert page.get_by_role("radio", name="4分，满分5分").is_checked()
    page.get_by_role("button", name="提交评分").click()
    page.wait_for_url("**done=rated*")
    assert page.locator(".rated").inner_text() == "您打了4分（满分5分），谢谢。"
    plain.close()

    context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}, locale="en-GB")
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{base_url}{seeded.alert}/report")
    assert page.locator(".rated").inner_text() == "You gave 4 of 5. Thank you."
    page.get_by_text("Photos: 1").click()
    picture = page.get_by_role("img", name="Photo 1 of the repair")
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("img => img.decode().then(() => img.naturalWidth)") == 1
    # On paper the tables are open and nothing is to be pressed.
    page.emulate_media(media="print")
    assert page.locator("figure table").is_visible()
    assert not page.locator(".acts").is_visible()
    page.emulate_media(media="screen")
    assert looked_at(page, "report") == []
    page.get_by_text("It is not fixed", exact=True).click()
    page.get_by_label("What is still wrong?").fill("It hums as before.")
    page.get_by_role("button", name="Open the case again").click()
    page.wait_for_url("**done=again*")
    assert page.locator(".told").inner_text().startswith("We come again")
    assert page.locator("h1").inner_text() == "We come again: it is not fixed yet"
    for path in ("/report", "/quote", "/home"):
        page.goto(f"{base_url}{seeded.alert}{path}")
        assert looked_at(page, path) == []
    for path in ("/home", "/home/remove?device=washer-1", "/privacy", "/privacy/erase"):
        page.goto(f"{base_url}/o/{seeded.tokens['owner']}{path}")
        for summary in page.locator("summary").all():
            summary.click()
        assert looked_at(page, path) == []
    small = [
        each.inner_text()
        for each in page.locator("a:visible, button:visible, summary:visible, label:visible").all()
        if (box := each.bounding_box()) is not None
        and box["height"] < 44
        and "skip" not in (each.get_attribute("class") or "")
    ]
    assert small == []
    assert said == []
    context.close()


@pytest.mark.long
@pytest.mark.parametrize("size", [PHONE, DESK])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_households_pages(  # noqa: PLR0917  (a row of cases)
    browser: Browser, base_url: str, seeded: Seeded, database_url: str, size: tuple[int, int], scheme: str
) -> None:
    prepare(database_url, seeded)
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    case, home = seeded.alert, f"/o/{seeded.tokens['owner']}"
    paths = [case + each for each in ("/report", "/quote", "/home")]
    paths += [home + each for each in ("/home", "/home/remove?device=washer-1", "/privacy", "/privacy/erase")]
    found = []
    for path in paths:
        for lang in ("en", "zh"):
            page.goto(f"{base_url}{path}{'&' if '?' in path else '?'}lang={lang}")
            found += looked_at(page, f"{path} {lang}")
    assert found == []
    context.close()
