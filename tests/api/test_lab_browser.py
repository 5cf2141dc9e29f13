"""Engineers in Chromium: a device that lives in a real, small simulator is looked at, zoomed into and given a fault."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, expect

from api.app import create_app
from api.settings import Settings
from firmware_sim.process import Simulation
from firmware_sim.runner import open_fleet
from firmware_sim.scenario import FleetEntry, Scenario
from stack.embedded_nats import EmbeddedNats
from storage.pool import connect
from storage.registry import register_device
from telemetry.clock import FleetClock, system_wall, to_micros
from telemetry.identity import DeviceKey
from telemetry.steering import Developing, ask
from tests.api.axe import axe_violations
from tests.api.case import NOW, ORG, WALL, Seeded
from tests.api.lab_case import log_in_page, readings
from tests.firmware_sim.answering import Answering

pytestmark = [pytest.mark.browser, pytest.mark.stack]
SMALL = Scenario(id="small", title="small", fleet=(FleetEntry(kind="refrigerator", count=1),))
NAME = "fridge-001"


@pytest.fixture
def living(nats: EmbeddedNats, tmp_path: Path) -> Iterator[Path]:
    """The folder of a fleet that runs, whose clock stands."""
    folder = tmp_path / "sim"
    server = Answering(nats.mqtt_url("ingest"))
    simulation = Simulation(
        open_fleet(folder, SMALL, 1001, to_micros(NOW)), folder, nats.mqtt_url("gateway"), system_wall
    )
    thread = threading.Thread(target=simulation.run)
    thread.start()
    server.clock(FleetClock(1, system_wall(), to_micros(NOW), 60.0))
    yield folder
    simulation.stop()
    thread.join(30)
    server.close()


@pytest.fixture
def app(database_url: str, living: Path) -> Iterator[FastAPI]:
    made = create_app(Settings(database_url=database_url, pool_size=4, sim_folder=living), wall=lambda: WALL)
    yield made
    made.state.context.pool.close()


@pytest.mark.long
def test_an_engineer_looks_closer_and_lets_a_fault_begin(
    browser: Browser, base_url: str, seeded: Seeded, database_url: str, living: Path
) -> None:
    with connect(database_url, application="test", autocommit=True) as conn:
        readings(conn, seeded, hole=range(200, 290))
        register_device(conn, DeviceKey(ORG, NAME), "refrigerator", registered=NOW, model="lx260")
    page = browser.new_context(viewport={"width": 1366, "height": 900}).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    log_in_page(page, base_url, seeded)

    # Found among the devices, looked at live.
    page.goto(f"{base_url}/lab")
    page.get_by_role("searchbox").fill("004217")
    page.get_by_role("searchbox").press("Enter")
    page.get_by_role("link", name="fridge-1").click()
    signals = page.locator("#signals[data-ready]")
    expect(signals.locator("canvas")).to_have_count(7)
    # Another range by a click, a closer look by a drag, and back.
    page.get_by_role("link", name="7 days").click()
    page.get_by_role("link", name="1 day", exact=True).click()
    expect(signals.locator("canvas")).to_have_count(7)
    before = page.locator("#when").inner_text()
    over = signals.locator(".u-over").first
    box = over.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20, steps=4)
    page.mouse.up()
    expect(page.locator("#when")).not_to_have_text(before)
    expect(signals.locator(".axis text").first).to_be_visible()
    page.get_by_role("button", name="Whole stretch again").click()
    expect(page.locator("#when")).to_have_text(before)
    page.get_by_text("Show as a table").click()
    expect(page.locator("#table tbody tr").first).to_be_visible()
    assert axe_violations(page) == []

    # A fault begins in the simulator and is undone.
    page.goto(f"{base_url}/lab/simulator")
    page.get_by_role("combobox", name="Device").fill(f"{ORG}/{NAME}")
    page.get_by_role("button", name="Choose this device").click()
    page.get_by_label("Fault of Refrigerator").select_option("condenser_fan_wear")
    page.get_by_label("Days until it fails").fill("3")
    page.get_by_role("button", name="Let it begin").click()
    expect(page.locator(".done-line")).to_contain_text("The fault has begun")
    (growing,) = ask(living, Developing())["faults"]
    assert (growing["device"], growing["fault"]) == (f"{ORG}/{NAME}", "condenser_fan_wear")
    assert growing["failure"] - growing["onset"] == pytest.approx(3 * 86_400)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".done-line")).to_contain_text("undone")
    assert ask(living, Developing())["faults"] == []
    assert errors == []
