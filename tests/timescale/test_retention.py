"""Retention in both lanes: what is old goes, what a detector has not read or would read again stays."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from storage.retention import Keep
from storage.rollup_levels import DAY, LEVELS
from tests.timescale.lane import DAY0, KIND, Lane, every

pytestmark = pytest.mark.stack

TABLE = f"reading_{KIND}"
DAYS = timedelta(days=1)
KEEP = Keep(readings=10 * DAYS, minutes=15 * DAYS)
NOW = DAY0 + 20 * DAYS
BOUND = DAY0 + 10 * DAYS
COUNT = 19 * 24
"""One reading an hour: reading n comes n hours after the first day began."""


def filled(lane: Lane, *, observed: int = COUNT, snapshot: int | None = COUNT) -> Lane:
    """Nineteen days of readings, chunks of a day; the last device has been read up to `observed`."""
    if lane.chunked:
        lane.conn.execute("select set_chunk_time_interval('reading_pump', interval '1 day')")
    for device in lane.devices:
        lane.put(device, every(3600, COUNT), first_seq=1)
        last = device == lane.devices[-1]
        lane.observed(device, observed if last else COUNT, snapshot=snapshot if last else COUNT)
    lane.refresh(NOW)
    return lane


def oldest(lane: Lane) -> list[datetime]:
    rows = lane.conn.execute("select min(t) from reading_pump group by device order by device").fetchall()
    return [row[0] for row in rows if isinstance(row[0], datetime)]


def test_what_is_old_goes_and_its_rollups_stay(lane: Lane) -> None:
    filled(lane)
    kept = lane.retain(KEEP, NOW)[TABLE]
    assert kept.kept_from == BOUND
    assert kept.held is None
    assert oldest(lane) == [BOUND] * 3
    assert lane.rows("hour") == lane.expected(LEVELS[1], NOW)
    assert lane.rows("day") == lane.expected(LEVELS[2], NOW)
    # Minutes have a time of their own, and chunks of continuous aggregates go whole.
    wanted = lane.expected(LEVELS[0], NOW, since=NOW - KEEP.minutes)
    assert [row for row in lane.rows("minute") if row[1] >= NOW - KEEP.minutes] == wanted
    assert lane.chunked or lane.rows("minute") == wanted


def test_what_was_dropped_is_final(lane: Lane) -> None:
    """A refresh never computes a bucket anew from what is left of its readings."""
    filled(lane)
    lane.retain(KEEP, NOW)
    before = lane.rows("hour"), lane.rows("day")
    lane.put(lane.devices[0], every(60, 10, DAY0 + 2 * DAYS), first_seq=5000)
    lane.refresh(NOW)
    assert (lane.rows("hour"), lane.rows("day")) == before
    assert oldest(lane)[0] == DAY0 + 2 * DAYS
    # It was not read yet, so it stays, and says so.
    assert lane.retain(KEEP, NOW)[TABLE].held is not None
    lane.observed(lane.devices[0], 6000, snapshot=6000)
    assert lane.retain(KEEP, NOW)[TABLE].held is None
    assert oldest(lane)[0] == BOUND


@pytest.mark.parametrize(
    ("observed", "snapshot", "why"),
    [
        (3 * 24 + 5, 3 * 24 + 5, "a gap keeps what follows it waiting"),
        (COUNT, 3 * 24 + 5, "a restart would read back from the snapshot"),
    ],
)
def test_what_a_detector_has_not_read_stays(lane: Lane, observed: int, snapshot: int, why: str) -> None:
    filled(lane, observed=observed, snapshot=snapshot)
    kept = lane.retain(KEEP, NOW)[TABLE]
    assert kept.held is not None, why
    assert (kept.held.device, kept.held.t) == (lane.devices[-1], DAY0 + timedelta(hours=snapshot))
    assert kept.kept_from == DAY.floor(kept.held.t)
    assert oldest(lane) == [kept.kept_from] * 3
    row = lane.conn.execute("select held_by, held_from from reading_horizon where kind = %s", (KIND,)).fetchone()
    assert row == (kept.held.device, kept.held.t)
    # The gap is closed, a snapshot taken: it goes on.
    lane.observed(lane.devices[-1], COUNT, snapshot=COUNT)
    assert lane.retain(KEEP, NOW)[TABLE].kept_from == BOUND
    assert oldest(lane) == [BOUND] * 3


def test_a_device_that_was_never_observed_holds_everything(lane: Lane) -> None:
    filled(lane)
    with lane.conn.transaction():
        lane.conn.execute("delete from device_observed where device = %s", (lane.devices[1],))
    kept = lane.retain(KEEP, NOW)[TABLE]
    assert kept.held is not None
    assert oldest(lane) == [DAY0] * 3


def test_a_snapshot_that_was_never_taken_holds_everything(lane: Lane) -> None:
    filled(lane, snapshot=None)
    assert lane.retain(KEEP, NOW)[TABLE].held is not None
    assert oldest(lane) == [DAY0] * 3


def test_what_is_never_observed_holds_nothing(lane: Lane) -> None:
    filled(lane)
    lane.put(lane.devices[0], every(60, 10, DAY0 + 2 * DAYS), first_seq=5000)
    with lane.conn.transaction():
        lane.conn.execute("update reading_pump set late = true where seq >= 5000")
    lane.refresh(NOW)
    assert lane.retain(KEEP, NOW)[TABLE].held is None
    assert oldest(lane) == [BOUND] * 3


def test_nothing_goes_that_is_not_rolled_up(lane: Lane) -> None:
    for device in lane.devices:
        lane.put(device, every(3600, COUNT), first_seq=1)
        lane.observed(device, COUNT, snapshot=COUNT)
    assert lane.retain(KEEP, NOW)[TABLE].kept_from is None
    lane.refresh(DAY0 + 4 * DAYS)
    kept = lane.retain(KEEP, NOW)[TABLE].kept_from
    assert kept is None or kept <= DAY0 + 4 * DAYS
    assert oldest(lane) >= [DAY0] * 3
    assert lane.rows("day") == lane.expected(LEVELS[2], DAY0 + 4 * DAYS)
    lane.refresh(NOW)
    assert lane.rows("day") == lane.expected(LEVELS[2], NOW)


def test_a_late_reading_is_rolled_up_before_it_goes(lane: Lane) -> None:
    """It comes between refresh and retention: its day waits for the next round."""
    filled(lane)
    lane.put(lane.devices[0], every(60, 30, DAY0 + 2 * DAYS + timedelta(minutes=7)), first_seq=300, epoch=0)
    kept = lane.retain(KEEP, NOW)[TABLE]
    assert kept.held is None
    assert kept.kept_from is not None
    assert kept.kept_from <= DAY0 + 2 * DAYS
    lane.refresh(NOW)
    assert lane.retain(KEEP, NOW)[TABLE].kept_from == BOUND
    assert oldest(lane) == [BOUND] * 3
    assert lane.rows("day") == lane.expected(LEVELS[2], NOW)
    assert lane.rows("hour") == lane.expected(LEVELS[1], NOW)


def test_events_go_with_the_readings(lane: Lane) -> None:
    filled(lane)
    for day, seq in ((2, 600), (12, 700)):
        with lane.conn.transaction():
            lane.conn.execute(
                "insert into device_event (device, t, epoch, seq, sub, code, arrival) "
                "values (%s, %s, 0, %s, 0, 'e', %s)",
                (lane.devices[0], DAY0 + day * DAYS, seq, DAY0 + day * DAYS),
            )
    if lane.chunked:
        # Chunks go whole: what is older than all of a chunk.
        lane.conn.execute("select set_chunk_time_interval('device_event', interval '1 day')")
    lane.retain(KEEP, NOW)
    left = [row[0] for row in lane.conn.execute("select seq from device_event order by seq")]
    assert left in ([700], [600, 700]) if lane.chunked else left == [700]


def test_what_is_coarser_is_kept_longer() -> None:
    with pytest.raises(ValueError, match="coarser"):
        Keep(readings=10 * DAYS, minutes=5 * DAYS)
    with pytest.raises(ValueError, match="coarser"):
        Keep(hours=30 * DAYS)
    assert Keep().of_level("day") is None
