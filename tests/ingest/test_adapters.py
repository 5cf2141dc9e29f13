"""Payloads of devices that people own, as their makers' documentation gives them, and what must not pass."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ingest.adapters.sources import FORMATS, Reading, Source, Sources, SourcesError, load_sources
from ingest.core import IngestCore, Token
from stack.cli import app
from telemetry.block import decode_block
from telemetry.clock import FleetClock
from telemetry.errors import WellkeptError, WireError
from telemetry.identity import DeviceKey
from telemetry.message import NO_SPOOL

WALL = 1_800_000_000_000_000
SENSOR = {
    "Time": "2026-03-01T18:00:00",
    "ENERGY": {"TotalStartTime": "2026-01-01T00:00:00", "Total": 3.185, "Power": 84, "Voltage": 231, "Current": 0.363},
}
STATUS = {"method": "NotifyStatus", "src": "shellyplusplugs-e465b8f3", "dst": "shellyplusplugs-e465b8f3/events"}


def written(folder: Path, text: str) -> Path:
    path = folder / "adapters.toml"
    path.write_text(text, encoding="utf-8")
    return path


def source(tmp_path: Path, name: str, more: str = "") -> Source:
    topics = 'topics = ["home/+/state"]' if name == "json" else ""
    return load_sources(written(tmp_path, f'[[source]]\nformat = "{name}"\norg = "acme"\n{topics}\n{more}')).all[0]


def said(one: Source, topic: str, body: object) -> list[Reading]:
    return one.read(topic, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_tasmota(tmp_path: Path) -> None:
    one = source(tmp_path, "tasmota", 'zone = "Asia/Shanghai"')
    (reading,) = said(one, "tele/tasmota_A1B2C3/SENSOR", SENSOR)
    assert reading == Reading(DeviceKey("acme", "tasmota_A1B2C3"), 1_772_359_200.0, {"power": 84.0})
    (asked,) = said(one, "stat/tasmota_A1B2C3/STATUS8", {"StatusSNS": SENSOR})
    assert asked == reading
    two = SENSOR | {"ENERGY": {"Power": [84, 2.5], "Voltage": 231}}
    assert [(r.key.device, r.q["power"]) for r in said(one, "tele/strip/SENSOR", two)] == [
        ("strip-1", 84.0),
        ("strip-2", 2.5),
    ]
    assert said(one, "tele/thermo/SENSOR", {"Time": "2026-03-01T18:00:00", "AM2301": {"Temperature": 21.5}}) == []


def test_shelly(tmp_path: Path) -> None:
    one = source(tmp_path, "shelly")
    topic = "shellyplusplugs-e465b8f3/events/rpc"
    changed = STATUS | {"params": {"ts": 1772359200.25, "switch:0": {"id": 0, "apower": 84.3, "current": 0.4}}}
    (reading,) = said(one, topic, changed)
    assert reading == Reading(DeviceKey("acme", "shellyplusplugs-e465b8f3"), 1772359200.25, {"power": 84.3})
    counter = {"aenergy": {"by_minute": [1400.0, 1390.0, 0.0], "minute_ts": 1772359260, "total": 11.679}}
    (mean,) = said(one, topic, STATUS | {"params": {"ts": 1772359260.1, "switch:0": {"id": 0} | counter}})
    assert (mean.t, round(mean.q["power"], 6)) == (1772359260.0, 84.0)
    two = {"ts": 1772359200.25, "switch:0": {"id": 0, "apower": 1.0}, "switch:1": {"id": 1, "apower": 2.0}}
    assert [r.key.device[-2:] for r in said(one, topic, STATUS | {"params": two})] == ["f3", "-1"]
    (status,) = said(one, "kitchen/fridge/status/switch:0", {"id": 0, "output": True, "apower": 3.5, "voltage": 230.1})
    assert status == Reading(DeviceKey("acme", "kitchen_fridge"), None, {"power": 3.5})
    assert said(one, topic, {"method": "NotifyEvent", "params": {"ts": 1.0, "events": []}}) == []
    assert said(one, "x/status/wifi", {"rssi": -60}) == []


def test_zigbee2mqtt(tmp_path: Path) -> None:
    one = source(tmp_path, "zigbee2mqtt")
    body = {"state": "ON", "power": 84.1, "voltage": 230, "linkquality": 120, "last_seen": "2026-03-01T18:00:00+08:00"}
    (reading,) = said(one, "zigbee2mqtt/kitchen/fridge plug", body)
    assert reading == Reading(DeviceKey("acme", "kitchen_fridge_plug"), 1_772_359_200.0, {"power": 84.1})
    (epoch,) = said(one, "zigbee2mqtt/plug", {"power": 1, "last_seen": 1_772_359_200_000})
    assert epoch.t == 1_772_359_200.0
    assert said(one, "zigbee2mqtt/plug", {"power": None, "state": "ON"}) == []
    for other in ("bridge/state", "plug/set", "plug/availability"):
        assert said(one, f"zigbee2mqtt/{other}", b"online") == []


def test_esphome_and_home_assistant(tmp_path: Path) -> None:
    board = source(tmp_path, "esphome")
    assert said(board, "laundry/sensor/washer_power/state", b"412.5") == [
        Reading(DeviceKey("acme", "laundry-washer"), None, {"power": 412.5})
    ]
    assert said(board, "plug7/sensor/power/state", b"7")[0].key.device == "plug7"
    assert said(board, "laundry/sensor/washer_power/state", b"nan") == []
    assert said(board, "laundry/sensor/uptime/state", b"400") == []
    home = source(tmp_path, "homeassistant")
    assert said(home, "homeassistant/sensor/fridge_plug_power/state", b"84.1")[0] == Reading(
        DeviceKey("acme", "fridge_plug"), None, {"power": 84.1}
    )
    for word in (b"unavailable", b"unknown", b'"unknown"'):
        assert said(home, "homeassistant/sensor/fridge_plug_power/state", word) == []


def test_any_json_by_a_mapping(tmp_path: Path) -> None:
    more = 'time = "at"\nzone = "Asia/Shanghai"\n[source.fields]\npower = "meter.0.watts"\n'
    one = source(tmp_path, "json", more)
    body: dict[str, Any] = {"at": "2026-03-01T18:00:00", "meter": [{"watts": "84.5"}]}
    assert said(one, "home/plug 1/state", body) == [
        Reading(DeviceKey("acme", "plug_1"), 1_772_359_200.0, {"power": 84.5})
    ]
    assert said(one, "home/plug/state", {"meter": []}) == []
    named = source(
        tmp_path, "json", 'device = "who"\n[source.fields]\npower = "w"\n[source.devices]\nmy-plug = "plug-9"\n'
    )
    assert said(named, "home/x/state", {"who": "my-plug", "w": 1})[0].key.device == "plug-9"
    assert said(named, "home/x/state", {"who": "other", "w": 1}) == []


@pytest.mark.parametrize(
    ("name", "topic", "payload"),
    [
        ("tasmota", "tele/a/SENSOR", b'{"ENERGY":{"Power":"much"}}'),
        ("tasmota", "tele/a/SENSOR", b'{"ENERGY":5}'),
        ("tasmota", "tele/a/SENSOR", b'{"Time":"yesterday","ENERGY":{"Power":1}}'),
        ("tasmota", "tele/a/SENSOR", b'{"ENERGY":{"Power":'),
        ("shelly", "a/events/rpc", b'{"method":"NotifyStatus","params":3}'),
        ("shelly", "a/events/rpc", b'{"method":"NotifyStatus","params":{"ts":1,"switch:0":{"apower":true}}}'),
        ("zigbee2mqtt", "zigbee2mqtt/a", b"[1]"),
        ("esphome", "a/sensor/power/state", b"\xff\xfe"),
        ("esphome", "a/sensor/power/state", b"1e999"),
        ("homeassistant", "homeassistant/sensor/a_power/state", b"warm"),
        ("json", "home/a/state", b'{"w":{"x":1}}'),
    ],
)
def test_what_is_malformed_is_said_so(tmp_path: Path, name: str, topic: str, payload: bytes) -> None:
    one = source(tmp_path, name, '[source.fields]\npower = "w"\n' if name == "json" else "")
    with pytest.raises(WireError) as caught:
        one.read(topic, payload)
    assert caught.value.reason in {"malformed", "not_finite", "time"}


@pytest.mark.parametrize("name", [each for each in FORMATS if each != "json"])
def test_no_payload_makes_an_adapter_fall(tmp_path: Path, name: str) -> None:
    one = source(tmp_path, name)
    topics = [each.replace("+", "x").replace("#", "x/y") for each in FORMATS[name].filters]
    pieces: list[object] = [None, True, 1, "x", [], {}, [1], {"id": 0}, {"apower": []}, {"Power": {}}, 1e308, -1e40]
    keys = ("ENERGY", "Time", "StatusSNS", "method", "params", "ts", "switch:0", "power", "last_seen", "aenergy")
    bodies = [{key: piece, "method": "NotifyStatus"} for key, piece in itertools.product(keys, pieces)]
    bodies += [{"method": "NotifyStatus", "params": body} for body in bodies]
    for topic, body in itertools.product(topics, [*bodies, *pieces]):
        for payload in (json.dumps(body).encode(), b"\x00", b"", b"{" * 4_000):
            try:
                readings = one.read(topic, payload)
            except WireError:
                continue
            assert all(each.q for each in readings)


class Bench:
    def __init__(self, tmp_path: Path) -> None:
        ids = itertools.count()
        text = '[[source]]\nformat = "tasmota"\norg = "acme"\n'
        self.core = IngestCore(4, 900_000, lambda: str(next(ids)), load_sources(written(tmp_path, text)))
        self.core.hear_clock(FleetClock(1, WALL, WALL, 1.0), WALL)
        self.core.connected()

    def give(self, topic: str, body: object, mid: int) -> None:
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()
        assert self.core.receive(topic, payload, Token(1, mid), 10.0, WALL) == []


def test_ingest_numbers_nothing_and_acknowledges_when_all_is_in_the_stream(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    outlets = {"Time": "2026-03-01T18:00:00", "ENERGY": {"Power": [1, 2, 3, 4, 5, 6]}}
    bench.give("tele/strip/SENSOR", outlets, 7)
    bench.give("tele/strip/STATE", {"POWER": "ON"}, 8)
    bench.give("tele/strip/SENSOR", {"Time": "2026-03-01T18:00:00"}, 9)
    assert bench.core.take_idle() == [Token(1, 9)]
    assert bench.core.take_idle() == []
    blocks = bench.core.drain(11.0)
    assert len(blocks) > 1
    messages = [m for block in blocks for m in decode_block(block.data).messages]
    assert sorted((m.device.device, float(m.values[0, 0])) for m in messages) == [
        (f"strip-{n}", float(n)) for n in range(1, 7)
    ]
    assert {m.epoch for m in messages} == {NO_SPOOL}
    rejects = [r for block in blocks for r in decode_block(block.data).rejects]
    assert [(r.topic, r.reason) for r in rejects] == [("tele/strip/STATE", "topic")]
    given: list[Token] = []
    for number, block in enumerate(blocks, 1):
        given += bench.core.published(block.block_id, None, 12.0)
        assert (Token(1, 7) in given) == (number == len(blocks))
    assert sorted(given) == [Token(1, 7), Token(1, 8)]
    assert bench.core.in_flight == 0


def test_a_malformed_payload_travels_as_a_reject(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.give("tele/plug/SENSOR", b'{"ENERGY":{"Power":"much"}}', 1)
    (block,) = bench.core.drain(11.0)
    (reject,) = decode_block(block.data).rejects
    assert (reject.topic, reject.reason, reject.raw) == (
        "tele/plug/SENSOR",
        "malformed",
        b'{"ENERGY":{"Power":"much"}}',
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[source]]\nformat = "tasmotta"\norg = "a"', "did you mean 'tasmota'"),
        ('[[source]]\nformat = "tasmota"', "org"),
        ('[[source]]\nformat = "tasmota"\norg = "a b"', "must match"),
        ('[[source]]\nformat = "tasmota"\norg = "a"\ncolour = 1', "colour"),
        ('[[source]]\nformat = "tasmota"\norg = "a"\ntopics = ["#"]', "our own devices"),
        ('[[source]]\nformat = "tasmota"\norg = "a"\ntopics = ["tele/x+/y"]', "no filter"),
        ('[[source]]\nformat = "tasmota"\norg = "a"\nzone = "Mars/Base"', "Asia/Shanghai"),
        ('[[source]]\nformat = "json"\norg = "a"', "needs topics"),
        ('[[source]]\nformat = "json"\norg = "a"\ntopics = ["a/+"]', "needs fields"),
        ("source = 3", "source"),
        ("[[source]\n", "adapters.toml"),
    ],
)
def test_a_wrong_file_is_refused_with_the_mend(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SourcesError, match=r"adapters\.toml") as caught:
        load_sources(written(tmp_path, text))
    assert says in str(caught.value)


def test_sources_are_found_by_their_filters(tmp_path: Path) -> None:
    sources = Sources([source(tmp_path, "tasmota"), source(tmp_path, "shelly")])
    assert len(sources.filters) == 5
    found = sources.find("plug/events/rpc")
    assert found is not None
    assert found.format.name == "shelly"
    assert sources.find("nobody/knows") is None


def test_the_page_is_so(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "adapters.md").read_text(encoding="utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    sources = load_sources(written(tmp_path, example))
    assert [one.format.name for one in sources.all] == ["tasmota", "zigbee2mqtt", "json"]
    reading = sources.all[2].read("meters/m 1/state", b'{"at":1772359200,"meter":{"watts":3}}')
    assert reading == [Reading(DeviceKey("demo", "m_1"), 1_772_359_200.0, {"power": 3.0})]
    assert all(f"| `{name}` |" in page for name in FORMATS)


def test_the_commands(tmp_path: Path) -> None:
    path = str(written(tmp_path, '[[source]]\nformat = "tasmota"\norg = "demo"\n'))
    run = CliRunner().invoke
    assert [row["format"] for row in json.loads(run(app, ["adapter", "list", "--json"]).stdout)] == list(FORMATS)
    assert json.loads(run(app, ["adapter", "check", path, "--json"]).stdout)[0]["topics"][0] == "tele/+/SENSOR"
    tried = run(app, ["adapter", "try", path, "tele/a/SENSOR", '{"ENERGY":{"Power":84}}', "--json"])
    assert json.loads(tried.stdout) == [{"device": "demo/a", "t": None, "q": {"power": 84.0}}]
    refused = run(app, ["adapter", "try", path, "tele/a/SENSOR", '{"ENERGY":5}'])
    assert isinstance(refused.exception, WellkeptError)
    assert "dead letter" in str(refused.exception)
