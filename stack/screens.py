"""`wellkept screens`: pictures of the product's own pages, taken from a running demo with Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stack.console import running
from stack.demo_fleet import load_state
from stack.errors import StackError
from storage.overview import NoticeLine, latest_notices, list_tickets
from storage.pool import connect

if TYPE_CHECKING:
    from playwright.sync_api import Page

_PHONE = {"width": 390, "height": 1_200}
_DESK = {"width": 1_280, "height": 860}
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_ALERTS = {"alert", "safety", "reopened"}
_LOOK_BACK = 500


def take(folder: Path, data_dir: Path) -> list[Path]:
    """Take pictures of the owner's pages in both languages, of dispatch, a ticket and the mailbox.

    Raises:
        StackError: no demo runs in the data directory, it has no alert yet, or there is no browser.
    """
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415  (a development dependency)
    except ImportError as cause:
        raise StackError("pictures need playwright: install the extra `screens`, or run `make setup`") from cause
    binary = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if binary is None:
        raise StackError(f"no browser found; install one of {', '.join(_BROWSERS)}")
    state = running(data_dir)
    demo = load_state(data_dir)
    if demo is None:
        raise StackError(f"no demo runs in {data_dir}; start one with `wellkept demo --data-dir {data_dir}`")
    with connect(state.secrets["database_url"], application="wellkept-screens", autocommit=True) as conn:
        notices, tickets = latest_notices(conn, _LOOK_BACK), list_tickets(conn)
    if not tickets:
        raise StackError("the demo has no ticket yet; try again in a minute")
    ticket = next((t for t in tickets if t.state == "done"), tickets[0])
    folder.mkdir(parents=True, exist_ok=True)
    base = state.secrets["http_url"]
    taken: list[Path] = []
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not run as root; the pages are ours, on the loopback.
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox"])
        phone = browser.new_page(viewport={"width": _PHONE["width"], "height": _PHONE["height"]}, device_scale_factor=2)
        for name, link in _owner_pages(notices, {str(t.household) for t in tickets if t.visit == "proposed"}):
            taken.append(_picture(phone, link, folder / f"{name}.png", whole=False))
        desk = browser.new_page(viewport={"width": _DESK["width"], "height": _DESK["height"]})
        desk.goto(f"{base}/login")
        desk.fill("input[name=login]", "dispatch")
        desk.fill("input[name=password]", demo.password)
        desk.click("form .btn-primary")
        for name, path in (
            ("dispatch", "/dispatch"),
            ("ticket", f"/tickets/{ticket.ref}"),
            ("mailbox", "/mailbox"),
        ):
            taken.append(_picture(desk, f"{base}{path}", folder / f"{name}.png", whole=False))
        browser.close()
    return taken


def _owner_pages(notices: list[NoticeLine], waiting: set[str]) -> Iterator[tuple[str, str]]:
    """One alert in each language, and the page of its visit; first of a household whose answer is awaited."""
    alerts = [n for n in notices if n.link and n.stage in _ALERTS]
    for lang, suffix in (("en", ""), ("zh", ".zh")):
        chosen = min(alerts, key=lambda n: (str(n.household) not in waiting, n.lang != lang), default=None)
        if chosen is not None:
            yield f"owner-alert{suffix}", f"{chosen.link}?lang={lang}"
            yield f"owner-visit{suffix}", f"{chosen.link}/visit?lang={lang}"


def _picture(page: Page, url: str, path: Path, *, whole: bool) -> Path:
    answer = page.goto(url, wait_until="networkidle")
    if answer is None or not answer.ok:
        raise StackError(f"{url} answers {answer.status if answer else 'nothing'}")
    page.screenshot(path=path, full_page=whole)
    return path
