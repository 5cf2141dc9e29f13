from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.catalogue import load_catalogue
from telemetry.catalogue.load import load_kind
from telemetry.clock import FleetClock, to_datetime, to_micros
from telemetry.errors import CatalogueError, WireError
from telemetry.identity import DeviceKey, parse_key, partition_of
from telemetry.topics import Channel, parse_topic, topic_of

IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@given(IDS, IDS, st.sampled_from(list(Channel)))
def test_topics_round_trip(org: str, device: str, channel: Channel) -> None:
    key = DeviceKey(org, device)
    assert parse_topic(topic_of(key, channel)) == (key, channel)
    assert parse_key(str(key)) == key
    assert 0 <= partition_of(key, 16) < 16


@pytest.mark.parametrize(
    "topic", ["", "wellkept/v1/a/b", "wellkept/v2/a/b/telemetry", "wellkept/v1/a b/c/telemetry", "wellkept/v1/a/b/x"]
)
def test_other_topics_are_refused(topic: str) -> None:
    with pytest.raises(WireError):
        parse_topic(topic)


SPEEDS = st.one_of(st.just(0.0), st.floats(0.001, 1e4))


@given(st.integers(0, 2**50), st.integers(0, 2**50), SPEEDS, st.integers(0, 10**9), SPEEDS)
def test_the_clock_never_steps_back(wall: int, fleet: int, speed: float, later: int, other: float) -> None:
    clock = FleetClock(1, wall, fleet, speed)
    changed = clock.change(wall + later, other)
    assert changed.rev == 2
    assert changed.fleet_at(wall + later) == clock.fleet_at(wall + later)
    assert changed.fleet_at(wall) == changed.fleet  # before the change takes effect it stands
    reached = clock.wall_at(clock.fleet + 1_000_000)
    assert (reached is None) == (speed == 0)
    if reached is not None:
        assert clock.fleet_at(reached + 1) >= clock.fleet + 999_999


def test_times_convert_exactly_and_want_a_zone() -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert to_datetime(to_micros(moment)) == moment
    with pytest.raises(ValueError, match="zone"):
        to_micros(moment.replace(tzinfo=None))


def test_the_catalogue_loads_and_its_hash_is_stable() -> None:
    catalogue = load_catalogue()
    assert {"refrigerator", "washing_machine", "smart_plug", "pump"} <= set(catalogue.kinds)
    assert catalogue.hash == load_catalogue().hash
    for spec in catalogue.kinds.values():
        for fault in spec.faults.values():
            for text in (fault.notice, fault.title, fault.explain, fault.risk, fault.safe):
                assert text.zh
                assert text.en


KIND = """
kind: toaster
title: {zh: 烤面包机, en: Toaster}
detector: cycles
channels:
  power: {unit: W, low: 0, high: 2000, title: {zh: 功率, en: Power}}
"""


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (KIND.replace("low: 0", "low: 3000"), r"toaster.yaml:6: channels.power: low must be below high"),
        (KIND.replace("detector: cycles", "detector: magic"), r"toaster.yaml:4: detector: Invalid enum value 'magic'"),
        (KIND + "colour: red\n", r"toaster.yaml: \(top\): Object contains unknown field `colour`"),
        (KIND.replace("kind: toaster", "kind: kettle"), r"toaster.yaml:2: kind: is 'kettle'"),
        (KIND + "faults: [", r"toaster.yaml:\d+: syntax"),
    ],
)
def test_a_wrong_file_names_file_line_key_and_mend(text: str, where: str) -> None:
    assert load_kind(KIND, "toaster.yaml").kind == "toaster"
    with pytest.raises(CatalogueError, match=where):
        load_kind(text, "toaster.yaml")
