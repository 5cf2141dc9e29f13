"""The trial's page in a browser: it draws, says nothing on the console, and fits a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from firmware_sim.scenario import load_scenario
from stack.trial.folder import write
from telemetry.catalogue import load_catalogue
from tests.stack.trial.grown import grown

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trial")
    write(folder, grown(load_catalogue(), devices=40), load_scenario("demo"))
    return folder / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1180])
def test_the_page_draws_all_plots_and_fetches_nothing(browser: Browser, report: Path, width: int, scheme: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda line: trouble.append(line.text))
    page.on("request", lambda request: trouble.append(request.url) if request.url.startswith("http") else None)
    page.goto(report.as_uri())
    page.wait_for_selector("[data-plot=sweep] canvas")
    assert trouble == []
    for name in ("leads", "lives", "coverage", "sweep"):
        canvas = page.locator(f"[data-plot={name}] canvas")
        assert canvas.count() == 1
        drawn = canvas.evaluate("c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)")
        assert drawn is True
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_tables_sort_by_the_column_that_is_pressed(browser: Browser, report: Path) -> None:
    page = browser.new_page()
    page.goto(report.as_uri())
    table = page.locator("#tables table").first
    table.locator("thead th").nth(1).click()
    counts = [int(cell) for cell in table.locator("tbody tr td:nth-child(2)").all_inner_texts()]
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) > 1
    page.close()


def test_a_false_ticket_unfolds_to_its_evidence(browser: Browser, report: Path) -> None:
    page = browser.new_page()
    page.goto(report.as_uri())
    first = page.locator("#false details").first
    first.locator("summary").click()
    assert "usually" in first.inner_text()
    assert "Going on at the time" in first.inner_text()
    page.close()
