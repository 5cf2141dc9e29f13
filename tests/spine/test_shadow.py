"""Detectors in the shadow find the same whenever they look, open no ticket, and are compared with the live ones."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from stack.cli import app
from stack.errors import StackError
from storage.shadow_report import pairs, report
from storage.shadow_store import Compared, EpisodeView, begin
from telemetry.catalogue import load_catalogue
from telemetry.catalogue.override import override
from telemetry.control import ControlKind
from telemetry.errors import CatalogueError
from telemetry.identity import DeviceKey
from tests.detectors.streams import faulty
from tests.spine.decided import Worker
from tests.spine.rig import wait_for
from worker.shadow import ShadowKeeper, catch_up, read_shadow

NOW = datetime(2026, 11, 1, tzinfo=UTC)
STRICT = "smart_plug: {tuning: {threshold: 28}}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "strict.yaml"
    path.write_text(STRICT)
    return path


@pytest.fixture
def worker(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    monkeypatch.setenv("WELLKEPT_DATABASE_URL", database_url)
    made = Worker(database_url, "smart_plug")
    yield made
    made.close()


def found(worker: Worker, name: str) -> list[Any]:
    worker.conn.rollback()
    rows = worker.conn.execute("select body from shadow_finding where shadow = %s order by finding, revision", (name,))
    return rows.fetchall()


def said(*arguments: str) -> Any:  # noqa: ANN401  (JSON)
    done = CliRunner().invoke(app, ["shadow", *arguments, "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.stack
def test_a_shadow_over_history_and_one_that_follows_find_the_same(worker: Worker, config: Path) -> None:
    stream = faulty("smart_plug")
    follower = read_shadow("follower", load_catalogue(), config)
    begin(worker.conn, "follower", follower.detectors.version, config=follower.config, since=None, now=NOW)
    worker.conn.commit()
    for low, high in ((0, 350), (350, 980), (980, len(stream))):
        worker.tell(stream[low:high])
        if high == 980:
            # Two entries behind one message, with a pass between them.
            family = "appliance_load"
            worker.control(ControlKind.PRIORS, {"family": family, "threshold": 1.25})
            assert catch_up(worker.conn, follower) == 1
            worker.control(ControlKind.PRIORS, {"family": family, "threshold": 1.0, "causes": {"unknown": 2.0}})
        assert catch_up(worker.conn, follower) == 1
        assert catch_up(worker.conn, follower) == 0
    tickets = len(worker.tickets)
    assert said("run", "--config", str(config), "--device", "demo/one")["findings"] >= 1
    assert found(worker, "strict") == found(worker, "follower")
    assert len(found(worker, "strict")) > 0
    worker.conn.rollback()
    assert worker.conn.execute("select count(*) from ticket").fetchone() == (tickets,)
    told = said("compare", "strict")
    assert told["both"] == 1
    assert told["opened_days_later"]["median"] > 0
    assert told["device_years"] == pytest.approx(9 / 365.25, rel=0.05)
    # The same name with another beginning is another shadow: what it had found is forgotten.
    later = said("run", "--config", str(config), "--since", "2099-01-01")
    assert later["findings"] == 0
    assert [each["name"] for each in said("list")] == ["follower", "strict"]
    said("drop", "strict")
    with pytest.raises(StackError, match="there are follower"):
        said("compare", "strict")


@pytest.mark.stack
def test_a_keeper_follows_until_it_is_told_to_stop(worker: Worker, config: Path, database_url: str) -> None:
    shadow = read_shadow("live", load_catalogue(), config)
    keeper = ShadowKeeper(database_url, shadow, lambda: 1_790_000_000_000_000, every=0.05)
    stop = threading.Event()
    thread = threading.Thread(target=keeper.run, args=(stop,))
    thread.start()
    try:
        worker.tell(faulty("smart_plug"))
        wait_for(lambda: len(found(worker, "live")) > 0, 60, "a finding of the shadow")
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kettle: {tuning: {}}", "kettle: is no kind"),
        ("pump: {channels: {}}", "stay as they are"),
        ("pump: {tuning: {lag: many}}", r"pump\.tuning"),
        ("pump: {tunning: {lag: 3}}", "pump"),
        ("- pump", "must map kinds"),
        ("pump: {", "syntax"),
    ],
)
def test_a_wrong_file_is_refused_with_its_key(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(CatalogueError, match=says) as caught:
        override(load_catalogue(), path)
    assert str(path) in str(caught.value)


def test_what_a_file_does_not_name_stays(config: Path) -> None:
    before = load_catalogue()
    after = override(before, config)
    assert after["smart_plug"].tuning == {**before["smart_plug"].tuning, "threshold": 28}
    assert after["pump"] == before["pump"]
    assert after.hash != before.hash


def episode(device: str, day: float, *, family: str = "f", hit: bool | None = None, days: float = 3) -> EpisodeView:
    at = NOW + timedelta(days=day)
    return EpisodeView(
        "demo", device, "pump", family, f"{device}{day}{family}{hit}", at, at, at + timedelta(days=days), hit
    )


def test_a_comparison_counts_both_sides_against_verdicts() -> None:
    live = [
        episode("a", 0, hit=True),
        episode("b", 0, hit=False),
        episode("c", 0, hit=False),
        episode("d", 0, hit=True),
    ]
    shadow = [episode("a", 2), episode("b", -1), episode("e", 0), episode("g", 0)]
    missed = {(DeviceKey("demo", "g"), "f"): [NOW + timedelta(days=2)]}
    told = report("x", Compared(live, shadow, missed, 365.25 * 2))
    assert (told["both"], told["only_live"], told["only_shadow"]) == (2, 2, 2)
    assert told["opened_days_later"] == {"median": 0.5, "least": -1.0, "most": 2.0}
    assert (told["true_lost"], told["false_avoided"], told["missed_found"]) == (1, 1, 1)
    assert told["false_per_device_year"] == {"live": 1.0, "shadow_at_least": 0.5, "shadow_at_most": 1.0}


def test_each_episode_has_one_twin_at_most() -> None:
    live = [episode("a", 0), episode("a", 30)]
    shadow = [episode("a", 1), episode("a", 4), episode("a", 60), episode("b", 0)]
    assert [(p.live.opened, p.shadow.opened) for p in pairs(live, shadow)] == [(live[0].opened, shadow[0].opened)]
