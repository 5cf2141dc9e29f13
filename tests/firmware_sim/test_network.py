"""The network as a model: a pure function of seed, device, time and dated changes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.names import UnknownNameError
from firmware_sim.network import RESEND, Network
from firmware_sim.network_spec import Link
from firmware_sim.wear import DAY, HOUR
from telemetry.clock import MICROS

START = 1_772_323_200 * MICROS
MINUTE = 60 * MICROS
BAD = Link(
    offline_hours=3.0,
    duplicates=0.1,
    reorder=0.2,
    loss=0.05,
    clock_offset_s=20.0,
    clock_drift_ppm=50.0,
    ntp_days=2.0,
    reboots=1.5,
)


def network(link: Link = BAD, devices: int = 4, seed: int = 1001) -> Network:
    return Network(seed, dict.fromkeys(range(devices), link), START)


def share_offline(net: Network, device: int, days: int, step: int = 5 * MINUTE) -> float:
    times = range(START, START + days * DAY, step)
    return sum(net.offline(device, at) for at in times) / len(times)


def test_a_perfect_link_delivers_at_once_and_shows_the_time() -> None:
    net = network(Link())
    assert net.perfect(0)
    assert net.deliveries(0, 7, START) == (START,)
    assert net.skewed(0, START + DAY) == START + DAY
    assert net.reboots(0, START // DAY) == ()
    assert net.next_turn(0, START, START + DAY) == START + DAY


def test_the_same_seed_gives_the_same_network_asked_in_any_order() -> None:
    one, two, other = network(), network(), network(seed=1002)
    dates = [START + i * 7 * MINUTE for i in range(1_000)]
    asked = {(d, at): one.deliveries(d, at // MINUTE, at) for d in range(4) for at in dates}
    for (device, at), found in reversed(asked.items()):
        assert two.deliveries(device, at // MINUTE, at) == found
    assert any(other.deliveries(d, at // MINUTE, at) != found for (d, at), found in asked.items())


def test_a_device_of_a_part_of_the_fleet_has_the_same_link() -> None:
    whole, part = network(), Network(1001, {2: BAD}, START)
    for at in range(START, START + 3 * DAY, HOUR):
        assert part.offline(2, at) == whole.offline(2, at)
        assert part.clock_error(2, at) == whole.clock_error(2, at)
        assert part.deliveries(2, at // HOUR, at) == whole.deliveries(2, at // HOUR, at)


@pytest.mark.parametrize("hours", [1.0, 6.0, 18.0])
def test_the_share_of_time_offline_is_what_was_asked_for(hours: float) -> None:
    net = network(Link(offline_hours=hours, outage_hours=2.0), devices=12)
    found = np.mean([share_offline(net, device, 15) for device in range(12)])
    # 180 device-days of outages two hours long: their number's own noise leaves a few per cent.
    assert found == pytest.approx(hours / 24.0, abs=0.035)


def test_nothing_arrives_while_a_device_is_offline_and_the_backfill_keeps_the_order() -> None:
    net = network(Link(offline_hours=8.0, outage_hours=4.0))
    arrivals = []
    for seq, done in enumerate(range(START, START + 6 * DAY, 10 * MINUTE)):
        (at,) = net.deliveries(1, seq, done)
        assert at >= done
        assert not net.offline(1, at) or at > done
        assert (at == done) == (not net.offline(1, done))
        arrivals.append(at)
    assert arrivals == sorted(arrivals)
    assert any(b - a < MICROS for a, b in itertools.pairwise(arrivals))


def test_next_turn_is_when_the_connection_changes() -> None:
    net = network(Link(offline_hours=6.0, outage_hours=1.0))
    at, end = START, START + 2 * DAY
    while at < end:
        turn = net.next_turn(0, at, end)
        state = net.offline(0, at)
        assert all(net.offline(0, t) == state for t in range(at, turn, MINUTE))
        assert turn == end or net.offline(0, turn) != state
        assert turn > at
        at = turn


def test_shares_of_copies_and_of_late_messages_are_what_was_asked_for() -> None:
    net = network(Link(duplicates=0.2, reorder=0.3, reorder_seconds=90.0))
    found = [net.delays(0, seq, START) for seq in range(4_000)]
    assert sum(len(one) == 2 for one in found) / 4_000 == pytest.approx(0.2, abs=0.03)
    late = [one[0] for one in found if one[0] > 0]
    assert len(late) / 4_000 == pytest.approx(0.3, abs=0.03)
    assert max(late) <= 90 * MICROS
    assert all(one[-1] >= one[0] for one in found)


def test_lost_messages_come_after_a_resend() -> None:
    net = network(Link(loss=0.25))
    delays = [net.delays(0, seq, START)[0] for seq in range(4_000)]
    assert {delay % RESEND for delay in delays} == {0}
    assert sum(delay > 0 for delay in delays) / 4_000 == pytest.approx(0.25, abs=0.03)
    assert network(Link(loss=1.0)).delays(0, 1, START)[0] < math.inf


def test_a_clock_drifts_and_a_step_of_ntp_makes_it_right() -> None:
    net = network(Link(clock_offset_s=30.0, clock_drift_ppm=100.0, ntp_days=1.0), devices=40)
    for device in range(40):
        errors = [net.clock_error(device, START + i * HOUR) for i in range(24 * 6)]
        jumps = [i for i in range(1, len(errors)) if abs(errors[i] - errors[i - 1]) > MICROS]
        # The first step takes the offset away; what one day's drift adds is at most 26 s at three deviations.
        assert abs(errors[0]) <= 90 * MICROS
        assert all(abs(error) <= 26 * MICROS for error in errors[25:])
        assert len(jumps) <= 6
    assert len({net.clock_error(device, START) for device in range(40)}) == 40


def test_without_ntp_a_clock_is_never_set_right() -> None:
    net = network(Link(clock_drift_ppm=100.0, ntp_days=0.0))
    one, ten = net.clock_error(0, START + DAY), net.clock_error(0, START + 10 * DAY)
    assert ten == pytest.approx(10 * one, rel=1e-6)
    assert one != 0


def test_reboots_come_at_their_rate() -> None:
    net = network(Link(reboots=2.0))
    days = range(START // DAY, START // DAY + 300)
    found = [at for day in days for at in net.reboots(0, day)]
    assert len(found) / 300 == pytest.approx(2.0, abs=0.3)
    assert all(at // DAY == day for day in days for at in net.reboots(0, day))


def test_a_change_holds_from_its_date_on_and_leaves_what_was_before() -> None:
    net, untouched = network(), network()
    at = START + 2 * DAY + 5 * HOUR
    net.change(1, at, {"offline_hours": 24.0})
    times = range(START, at, 7 * MINUTE)
    assert [net.offline(1, t) for t in times] == [untouched.offline(1, t) for t in times]
    assert net.offline(1, at)
    assert net.offline(1, at + 40 * DAY)
    assert net.online_at(1, at) is None
    assert net.deliveries(1, 5, at) == ()
    assert net.offline(0, at + DAY) == untouched.offline(0, at + DAY)
    back = at + 3 * HOUR
    net.change(None, back, {"offline_hours": 0.0, "reorder": 0.0, "duplicates": 0.0, "loss": 0.0})
    assert net.online_at(1, at) == back
    assert back <= net.deliveries(1, 5, at)[0] <= back + 2 * MICROS + 2 * RESEND
    net.change(1, back + DAY, None)
    assert net.link(1, back + DAY) == BAD


def test_an_unknown_field_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="offline_hours"):
        network().change(None, START, {"offline_hour": 1.0})


@settings(max_examples=40, deadline=None)
@given(
    link=st.builds(
        Link,
        offline_hours=st.floats(0.0, 23.9),
        outage_hours=st.floats(0.05, 60.0),
        reorder=st.floats(0.0, 1.0),
        loss=st.floats(0.0, 1.0),
        duplicates=st.just(0.5),
    ),
    seq=st.integers(1, 2**40),
    offset=st.integers(0, 40 * DAY),
)
def test_every_message_arrives_and_never_before_it_is_complete(link: Link, seq: int, offset: int) -> None:
    net = network(link, devices=1)
    found = net.deliveries(0, seq, START + offset)
    assert 1 <= len(found) <= 2
    assert found == tuple(sorted(found))
    assert found[0] >= START + offset
