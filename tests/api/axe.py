"""axe-core on a page of the browser: what it finds, as lines that a person can act on."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Page

_AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def _source() -> str:
    if not _AXE.exists():
        pytest.skip("no axe-core: run `make setup-node`")
    return _AXE.read_text()


def axe_violations(page: Page) -> list[str]:
    """Violations of WCAG 2.2 AA on the page as it stands; the page needs JavaScript.

    Returns:
        `rule: help (how many) first selector` of each.
    """
    page.evaluate(_source())
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then(r => r.violations)", _RULES
    )
    return [f"{each['id']}: {each['help']} ({len(each['nodes'])}) {each['nodes'][0]['target'][0]}" for each in found]
