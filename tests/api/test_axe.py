"""Every page in Chromium: nothing that axe finds, both languages, light and dark, phone and desk."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from storage.pool import connect
from tests.api.axe import axe_violations
from tests.api.case import ORG, Seeded
from tests.api.lab_case import readings, traced
from tests.api.road import LOGIN, on_the_day

pytestmark = pytest.mark.browser
_PHONE, _DESK = (360, 740), (1366, 768)
Looks = tuple[tuple[tuple[int, int], str, str], ...]
_ALL: Looks = tuple(itertools.product((_PHONE, _DESK), ("light", "dark"), ("en", "zh")))
_PAIRS: Looks = (
    (_PHONE, "light", "zh"),
    (_PHONE, "dark", "en"),
    (_DESK, "light", "en"),
    (_DESK, "dark", "zh"),
)
"""Every two of size, scheme and language together, once."""
_looks = pytest.mark.parametrize("looks", [_PAIRS, pytest.param(_ALL, marks=pytest.mark.long)], ids=["pairs", "all"])


def _pages(
    browser: Browser,
    base_url: str,
    seeded: Seeded,
    paths: list[str],
    *,
    staff: bool,
    login: str = "ana",
    looks: Looks = _ALL,
) -> Iterator[str]:
    context = browser.new_context()
    page = context.new_page()
    if staff:
        _log_in(page, base_url, seeded, login)
    for (width, height), scheme, lang in looks:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for path in paths:
            answer = page.goto(f"{base_url}{path}?lang={lang}")
            assert answer is not None
            assert answer.ok, path
            yield from (f"{path} {lang} {scheme} {width}: {line}" for line in axe_violations(page))
            sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if sideways > 0:
                yield f"{path} {lang} {scheme} {width}: {sideways} px too wide"
    context.close()


def _log_in(page: Page, base_url: str, seeded: Seeded, login: str) -> None:
    page.goto(f"{base_url}/login")
    page.locator("input[name=login]").fill(login)
    page.locator("input[name=password]").fill(seeded.road if login == LOGIN else seeded.staff)
    page.locator("form button").last.click()
    page.wait_for_url("**/day" if login == LOGIN else "**/dispatch")


@_looks
def test_owners_pages(browser: Browser, base_url: str, seeded: Seeded, looks: Looks) -> None:
    paths = [seeded.alert + each for each in ("", "/visit", "/time")]
    assert list(_pages(browser, base_url, seeded, paths, staff=False, looks=looks)) == []


@_looks
def test_staffs_pages(browser: Browser, base_url: str, seeded: Seeded, looks: Looks) -> None:
    paths = ["/dispatch", "/board", f"/tickets/{seeded.ref}", "/mailbox"]
    assert list(_pages(browser, base_url, seeded, paths, staff=True, looks=looks)) == []


@pytest.mark.long
def test_technicians_pages(browser: Browser, base_url: str, seeded: Seeded, database_url: str) -> None:
    visit = on_the_day(database_url, seeded)
    paths = ["/day", f"/day/visits/{visit.id}", f"/day/visits/{visit.id}/outcome", "/day/2026-12-01"]
    assert list(_pages(browser, base_url, seeded, paths, staff=True, login=LOGIN)) == []


@pytest.mark.long
def test_engineers_pages(browser: Browser, base_url: str, seeded: Seeded, database_url: str) -> None:
    with connect(database_url, application="test", autocommit=True) as conn:
        readings(conn, seeded, hole=range(200, 290))
        traced(conn, seeded)
    device = f"/lab/{ORG}/fridge-1"
    paths = ["/lab", device, f"/lab/tickets/{seeded.ref}", "/lab/scoreboard", "/lab/simulator"]
    assert list(_pages(browser, base_url, seeded, paths, staff=True)) == []


@pytest.mark.long
def test_desks_pages(browser: Browser, base_url: str, seeded: Seeded) -> None:
    paths = ["/technicians", f"/technicians/{seeded.technician}", "/wall", "/roster", "/mails", "/faults", "/reports"]
    more = ["/rules", "/audit", "/webhooks", f"/webhooks/{seeded.webhook}"]
    assert list(_pages(browser, base_url, seeded, [*paths, *more], staff=True)) == []
