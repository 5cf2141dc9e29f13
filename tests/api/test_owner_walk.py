"""The owner's whole way on a phone in a real browser: alert, time, hold, yes, questions, visit, message.

Once in English with script, once in Chinese without, once in Chinese inside WeChat; and what a first load weighs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from playwright.sync_api import Browser, Page, Response

from storage.pool import connect
from tests.api import owner_states as states
from tests.api.case import Seeded
from tests.api.test_owner_pages import WECHAT

pytestmark = pytest.mark.browser
FIRST_LOAD = 150_000
_SPIES = """
window.opened = [];
window.open = (...all) => { window.opened.push(all); return null; };
"""
WORDS = {
    "en": {
        "other": "Other time",
        "keep": "Keep this time for me",
        "book": "Book this time",
        "yes": "Yes",
        "door": "Door code, bell or floor",
        "save": "Save the answers",
        "thanks": "Thank you for the answers",
        "send": "Send",
        "sent": "Your message was sent.",
    },
    "zh": {
        "other": "换个时间",
        "keep": "先为我保留",
        "book": "就订这个时间",
        "yes": "有",
        "door": "门禁密码、门铃或楼层",
        "save": "保存",
        "thanks": "谢谢您的回答",
        "send": "发送",
        "sent": "留言已发送。",
    },
}


@contextmanager
def phone(
    browser: Browser, lang: str, *, script: bool = True, agent: str | None = None
) -> Iterator[tuple[Page, list[str]]]:
    """A phone's page, and what its console said."""
    locale = "zh-CN" if lang == "zh" else "en-GB"
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, java_script_enabled=script, locale=locale, user_agent=agent
    )
    if script:
        context.add_init_script(_SPIES)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page, said
    context.close()


def walk(page: Page, address: str, lang: str) -> None:
    """From the alert to a message."""
    words = WORDS[lang]
    page.goto(f"{address}?lang={lang}")
    page.get_by_role("link", name=words["other"]).click()
    page.wait_for_url("**/time?lang=*")
    page.locator(".pick").nth(1).click()
    page.get_by_role("button", name=words["keep"]).click()
    page.get_by_role("button", name=words["book"]).wait_for()
    held = page.locator("#live .when .h").inner_text()
    # Another one instead: the day list keeps with one tap.
    page.locator(".days summary").last.click()
    page.locator(".days details").last.locator("button.pick").first.click()
    page.wait_for_load_state()
    taken = page.locator("#live .when").inner_text()
    assert taken != held
    page.get_by_role("button", name=words["book"]).click()
    page.wait_for_url("**/access?*done=moved*")
    page.get_by_label(words["yes"], exact=True).check()
    page.get_by_label(words["door"]).fill("4711")
    page.get_by_role("button", name=words["save"]).click()
    page.wait_for_url("**/visit?*done=answered*")
    assert words["thanks"] in page.locator(".told").inner_text()
    assert page.locator("#live .when").inner_text() == taken
    assert "4711" in page.locator("main").inner_text()
    page.locator("textarea[name=words]").fill("第一行\nsecond line <b>")
    page.get_by_role("button", name=words["send"]).click()
    page.wait_for_url("**/visit?*done=written*")
    assert words["sent"] in page.locator(".told").inner_text()
    assert page.locator(".talk .mine p").inner_text() == "第一行\nsecond line <b>"


def test_with_script_in_english(browser: Browser, base_url: str, seeded: Seeded, database_url: str) -> None:
    with phone(browser, "en") as (page, said):
        walk(page, base_url + seeded.alert, "en")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        # What happens shows by itself; a half-written message stays.
        page.locator("textarea[name=words]").fill("half a")
        with connect(database_url, application="test") as conn:
            conn.execute("update visit set state = 'dispatched' where state = 'confirmed'")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.locator("h1", has_text="Your visit is being prepared").wait_for()
        page.locator("#standing .now", has_text="Preparing").wait_for()
        assert page.locator("textarea[name=words]").input_value() == "half a"
        assert said == []


def test_without_script_in_chinese(browser: Browser, base_url: str, seeded: Seeded) -> None:
    with phone(browser, "zh", script=False) as (page, said):
        walk(page, base_url + seeded.alert, "zh")
        page.locator("noscript a, #live a", has_text="刷新").first.click()
        page.wait_for_url("**/visit?lang=zh")
        assert said == []


@pytest.mark.long
def test_inside_wechat(browser: Browser, base_url: str, seeded: Seeded) -> None:
    with phone(browser, "zh", agent=WECHAT) as (page, said):
        downloads: list[str] = []
        page.on("download", lambda each: downloads.append(each.url))
        walk(page, base_url + seeded.alert, "zh")
        assert page.locator("a[href*='.ics'], a[download], a[target]").count() == 0
        assert "在浏览器打开" in page.locator("main").inner_text()
        assert page.evaluate("window.opened") == []
        assert page.evaluate("navigator.serviceWorker.getRegistrations().then(all => all.length)") == 0
        assert (downloads, said) == ([], [])


def _note(loads: list[Response], answer: Response) -> None:
    loads.append(answer)


@pytest.mark.long
def test_a_first_load_weighs_little(browser: Browser, base_url: str, seeded: Seeded, database_url: str) -> None:
    with connect(database_url, application="test") as conn:
        states.answered(conn, seeded)
    for path in ("", "/visit", "/time", "/access"):
        with phone(browser, "zh") as (page, _):
            loads: list[Response] = []
            page.on("response", partial(_note, loads))
            page.goto(f"{base_url}{seeded.alert}{path}", wait_until="load")
            sizes = {re.sub(r".*/(static/[^?]+|o/).*", r"\1", each.url): len(each.body()) for each in loads}
            assert len(sizes) >= 4, sizes
            assert sum(sizes.values()) <= FIRST_LOAD, (path, sizes)
