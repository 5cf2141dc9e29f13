"""The benchmarks: what they send is what the product reads, what they call sustained is, and a small run end to end."""

from __future__ import annotations

import os
from itertools import pairwise

import numpy as np
import pytest

from benchmarks.audit import backlog, carried
from benchmarks.generator import CHANNELS, Template, healthy_rows
from benchmarks.mqtt_wire import connect_packet, split, subscribe_packet
from benchmarks.reference import ROW, encode_rows
from ingest.wire import sort_packets
from stack.bench_load import Trial, growing, search
from stack.bench_meter import Part, cpu_us, memory_mb
from stack.bench_throughput import Plan, throughput
from telemetry.message import decode_envelope
from telemetry.plain import PlainDecoder
from telemetry.topics import parse_topic


@pytest.mark.parametrize("rows", [1, 60])
def test_packets_of_the_generator_are_what_ingest_reads(rows: int) -> None:
    template = Template("demo", np.array([3, 4]), epoch=7, rows=rows)
    template.mid[:] = [300, 301]
    template.seq[:] = 12
    template.base[:] = 11
    template.t[:] = 1_700_000_000.25
    values = healthy_rows(rows)
    for row, views in enumerate(template.q):
        for index, view in enumerate(views):
            view[:] = values[row, index]
    messages, others, used = sort_packets(bytes(template.buffer))
    assert (others, used) == (b"", 2 * template.size)
    assert [mid for _, _, mid in messages] == [300, 301]
    topics = [parse_topic(topic.decode())[0].device for topic, _, _ in messages]
    assert topics == ["pump-00003", "pump-00004"]
    for _, payload, _ in messages:
        envelope = decode_envelope(payload)
        assert (envelope.epoch, envelope.seq, envelope.base, envelope.t) == (7, 12, 11, 1_700_000_000.25)
        expected = {name: values[:, i].tolist() for i, name in enumerate(CHANNELS)}
        assert envelope.q == (expected if rows > 1 else {name: cells[0] for name, cells in expected.items()})
        assert (PlainDecoder().decode(payload) is not None) == (rows == 1)


def test_healthy_rows_move_together() -> None:
    rows = healthy_rows(4_000)
    together = np.corrcoef(rows.T)
    assert np.isfinite(rows).all()
    assert np.abs(together - np.eye(len(CHANNELS))).max() > 0.2


def test_packets_are_split_at_their_borders() -> None:
    data = connect_packet("a", "user", "secret", clean=True) + subscribe_packet(1, "x/" + "y" * 200, 1)
    found, used = split(data + b"\x40")
    assert [first for first, _, _ in found] == [0x10, 0x82]
    assert used == len(data)


def test_a_row_of_the_reference_is_a_row_of_binary_copy() -> None:
    data = encode_rows([(1, 946_684_800.5, 2, 3, 9)], [tuple(float(i) for i in range(8))], 946_684_800_000_000)
    assert data[:11] == b"PGCOPY\n\xff\r\n\0"
    assert len(data) == 19 + ROW.itemsize + 2
    (row,) = np.frombuffer(data, ROW, count=1, offset=19)
    assert (row["count"], row["n_t"], row["t"], row["seq"], row["flow"]) == (13, 8, 500_000, 3, 7.0)


def test_a_backlog_grows_when_it_rises_or_stands_too_high() -> None:
    rate = 1_000.0
    assert not growing([100, 110, 95, 105, 100, 98, 104, 101, 99, 103], rate)
    assert growing([100 * i for i in range(10)], rate)
    assert growing([1_500] * 10, rate)
    assert growing([2_000], rate)
    assert growing([], rate)


@pytest.mark.parametrize("capacity", [900.0, 1_000.0, 1_400.0])
def test_the_search_ends_near_what_is_carried(capacity: float) -> None:
    tried: list[float] = []

    def trial(rate: float) -> Trial:
        tried.append(rate)
        return Trial(rate, min(rate, capacity), rate <= capacity)

    best = search(trial, 1_000.0, lambda _line: None, most=8)
    assert capacity / 1.09 <= best <= capacity
    assert all(a != b for a, b in pairwise(tried))


def test_a_search_that_finds_nothing_gives_the_next_to_try() -> None:
    assert search(lambda rate: Trial(rate, rate / 2, kept_up=False), 1_000.0, lambda _line: None, most=2) < 500.1


def test_backlog_and_rate_come_from_both_times() -> None:
    published = np.arange(0.0, 10.0, 0.01)
    assert backlog(published, published + 0.5) == [50] * 9
    assert carried(published, published + 0.5) == pytest.approx(100, rel=0.02)


def test_this_process_uses_time_and_memory() -> None:
    parts = {"me": Part(os.getpid()), "tree": Part(os.getpid(), tree=True)}
    before = cpu_us(parts)
    np.linalg.svd(np.ones((400, 400)))
    while cpu_us(parts)["me"] == before["me"]:
        np.linalg.svd(np.ones((400, 400)))
    assert memory_mb(parts)["me"] > 10


@pytest.mark.long
@pytest.mark.stack
def test_a_small_run_loses_nothing_and_says_every_figure() -> None:
    said: list[str] = []
    found = throughput(Plan(seconds=5, rate=200, devices=20, reference=False), said.append)
    assert (found["lost"], found["duplicated"], found["dead_letters"]) == (0, 0, 0)
    assert found["messages_per_s"] == pytest.approx(200, rel=0.1)
    assert found["points_per_s"] == pytest.approx(8 * 200, rel=0.1)
    assert found["cpu_us"].keys() == {"ingest", "worker-1", "nats", "postgres"}
    assert found["cpu_us_per_message"] == pytest.approx(sum(found["cpu_us"].values()), abs=0.5)
    assert 0 < found["p50_ms"] <= found["p99_ms"]
    assert found["rss_mb_end"] > 50
    assert any("commissioned: 8,400 readings of 20 pumps" in line for line in said)
