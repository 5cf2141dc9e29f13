"""`wellkept screens`: pictures of every page, in both languages, light and dark, with Chromium.

The pages are real: a full house in an embedded database, answered by an api process of our own on the loopback.
"""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stack.errors import StackError
from stack.page_house import Told, full_house, pages_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

_PHONE = (390, 844)
_DESK = (1_440, 900)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_LANGUAGES = ("en", "zh")
_THEMES = ("light", "dark")
_LOGINS: Mapping[str, str] = {"day": "road"}
_DEVICES, _TICKETS = 160, 40
_QUALITY = 55


def take(folder: Path, told: Told) -> list[Path]:
    """Take pictures of every page; owners' and the technician's as a phone shows them, whole; consoles as a desk does.

    Raises:
        StackError: there is no browser or no playwright, or a page does not answer.
    """
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415  (a development dependency)
    except ImportError as cause:
        raise StackError("pictures need playwright: install the extra `screens`, or run `make setup`") from cause
    binary = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if binary is None:
        raise StackError(f"no browser found; install one of {', '.join(_BROWSERS)}")
    folder.mkdir(parents=True, exist_ok=True)
    taken: list[Path] = []
    with full_house(_DEVICES, _TICKETS, told) as (base, house), sync_playwright() as playwright:
        # Chromium's own sandbox does not run as root; the pages are ours, on the loopback.
        browser = playwright.chromium.launch(executable_path=binary, args=["--no-sandbox", "--disable-gpu"])
        for name, path in {"login": "/login", **pages_of(house)}.items():
            login = None if name == "login" or name.startswith("owner") else _LOGINS.get(name, "desk")
            context = _context(browser, base, login, house.password, phone=name == "day" or name.startswith("owner"))
            for lang, theme in itertools.product(_LANGUAGES, _THEMES):
                page = context.new_page()
                page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
                taken.append(
                    _picture(
                        page,
                        f"{base}{path}{'&' if '?' in path else '?'}lang={lang}",
                        folder / f"{name}.{lang}.{theme}.jpg",
                    )
                )
                page.close()
            context.close()
            told(name)
        browser.close()
    return taken


def gallery(folder: Path, page: Path) -> None:
    """Write the page of the handbook that shows them all."""
    names = list(dict.fromkeys(path.name.split(".")[0] for path in sorted(folder.glob("*.jpg"))))
    where = folder.relative_to(page.parent).as_posix()
    lines = [
        "# Every page, in both languages, light and dark",
        "",
        "Taken by `make screens` (`wellkept screens`) over a full house; what each shows is said in [Pages](pages.md).",
        "",
    ]
    for name in names:
        lines += [f"## {name.replace('_', ' ').capitalize()}", ""]
        head = [f"{lang}, {theme}" for lang, theme in itertools.product(_LANGUAGES, _THEMES)]
        cells = [
            f"![{name}, {lang}, {theme}]({where}/{name}.{lang}.{theme}.jpg)"
            for lang, theme in itertools.product(_LANGUAGES, _THEMES)
        ]
        lines += [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", f"| {' | '.join(cells)} |", ""]
    page.write_text("\n".join(lines), encoding="utf-8")


def _context(browser: Browser, base: str, login: str | None, password: str, *, phone: bool) -> BrowserContext:
    width, height = _PHONE if phone else _DESK
    context = browser.new_context(viewport={"width": width, "height": height})
    if login is not None:
        page = context.new_page()
        page.goto(f"{base}/login")
        page.fill("input[name=login]", login)
        page.fill("input[name=password]", password)
        page.click("form .btn-primary")
        page.wait_for_load_state()
        page.close()
    return context


def _picture(page: Page, url: str, path: Path) -> Path:
    # Consoles listen for changes without end: that the network rests is not waited for.
    answer = page.goto(url, wait_until="load")
    if answer is None or not answer.ok:
        raise StackError(f"{url} answers {answer.status if answer else 'nothing'}")
    page.screenshot(path=path, type="jpeg", quality=_QUALITY, animations="disabled")
    return path
