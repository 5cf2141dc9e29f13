"""Charts: well-formed, banded, never bridging a gap, deterministic."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.charts import Life, Mark, Proof, Spec, draw, life_shown, nice_ticks, unknown_spans
from api.evidence import Point, merge, series_of, table_of
from telemetry.clock import MICROS, to_micros
from telemetry.finding import Signal
from tests.api.case import NOW, evidence

_DAY = 86_400 * MICROS
_START = to_micros(datetime(2026, 10, 1, 12, tzinfo=UTC))


def points(values: list[float | None]) -> list[Point]:
    return [Point(_START + i * _DAY, v, 8.0, 10.0, 1) for i, v in enumerate(values)]


def spec(values: list[float | None], *, marks: tuple[Mark, ...] = (), life: Life | None = None) -> Spec:
    return Spec(
        name="c",
        title="Compressor <hours>",
        desc="One & only",
        points=points(values),
        band_label="usual range",
        last_label="12 h",
        tick=lambda t: f"{t // _DAY}",
        number=lambda v: f"{v:g}",
        marks=marks,
        life=life,
    )


def by_class(svg: str, name: str) -> list[ET.Element]:
    return [e for e in ET.fromstring(svg).iter() if name in (e.get("class") or "").split()]  # noqa: S314  (our own text)


def test_a_chart_is_well_formed_titled_and_banded() -> None:
    svg = draw(spec([9, 9.2, 9.1, 11, 12]))
    root = ET.fromstring(svg)  # noqa: S314  (our own text)
    assert [child.tag for child in root][:2] == ["title", "desc"]
    assert root.get("aria-labelledby") == "c-t c-d"
    assert by_class(svg, "c-band")
    assert len(by_class(svg, "c-out")) == 1
    assert by_class(svg, "c-dot")[0].get("d", "").count("M") == 2
    assert "style=" not in svg


def test_a_gap_breaks_the_line_and_is_hatched() -> None:
    svg = draw(spec([9, 9, None, None, 9, 9]))
    lines = by_class(svg, "c-line")
    assert len(lines) == 2
    assert len(by_class(svg, "c-gap")) == 1
    assert unknown_spans(points([9, None, 9])) == [(_START, _START + 2 * _DAY)]


def test_nothing_known_at_the_end_is_no_bridged_gap() -> None:
    assert unknown_spans(points([None, 9, 9, None])) == []


def test_marks_life_and_proof_are_drawn_with_their_words() -> None:
    now = _START + 4 * _DAY
    marks = (
        Mark(_START + 2 * _DAY, "onset", "since 3 Oct", _START + _DAY, _START + 3 * _DAY),
        Mark(now, "now", "today"),
        Mark(now + _DAY, "visit", "visit"),
        Mark(now, "finding", "finding"),
    )
    svg = draw(
        spec([9, 9, 9, 11, 12], marks=marks, life=Life(now + 7 * _DAY, now + 14 * _DAY, "1–2 weeks", "may fail"))
    )
    for name in ("c-onset-mark", "c-onset-range", "c-now", "c-visit-mark", "c-finding", "c-life", "c-life-bar"):
        assert by_class(svg, name), name
    for word in ("since 3 Oct", "today", "visit", "1–2 weeks", "may fail", "usual range"):
        assert f">{word}</text>" in svg


def test_a_repair_has_its_tick_and_bracket() -> None:
    made = spec([12, 12, 9, 9, 9])
    repaired = Spec(
        **{name: getattr(made, name) for name in made.__dataclass_fields__}
        | {
            "marks": (Mark(_START + 2 * _DAY, "repair", "repair"),),
            "proof": Proof(_START + 2 * _DAY, _START + 4 * _DAY, "2 days"),
        }
    )
    svg = draw(repaired)
    assert by_class(svg, "c-repair-tick")
    assert by_class(svg, "c-proof")


def test_labels_above_the_plot_do_not_touch() -> None:
    now = _START + 29 * _DAY
    marks = (
        Mark(now - _DAY, "finding", "finding"),
        Mark(now, "now", "now"),
        Mark(now + _DAY, "visit", "visit 24 Nov"),
        Mark(now - 2 * _DAY, "onset", "onset 21 Oct, ±3 d"),
    )
    svg = draw(spec([9.0] * 30, marks=marks))
    placed = [e for e in by_class(svg, "c-halo") if e.text in {m.label for m in marks}]
    boxes = []
    for each in placed:
        x, width = float(each.get("x", 0)), len(each.text or "") * 6.0
        left = {"end": x - width, "middle": x - width / 2}.get(each.get("text-anchor") or "", x)
        boxes.append((left, left + width, float(each.get("y", 0))))
    assert len(boxes) == 4
    for i, (a, b, y) in enumerate(boxes):
        assert all(y != other or b <= c or d <= a for c, d, other in boxes[i + 1 :])


def test_an_empty_chart_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one point"):
        draw(spec([]))


@pytest.mark.parametrize(("low", "high"), [(0, 1), (7.3, 15.9), (1_180, 1_290), (-20, -17), (0.38, 0.61)])
def test_ticks_are_few_and_round(low: float, high: float) -> None:
    ticks = nice_ticks(low, high)
    assert 2 <= len(ticks) <= 5
    assert all(low <= t <= high + 1e-9 for t in ticks)


def test_cycles_become_days_and_missing_days_stay_unknown() -> None:
    signal = evidence(random.Random(1), NOW)[0]
    series = series_of(signal, ZoneInfo("Asia/Shanghai"), 1 / 60)
    assert series.step == _DAY
    assert 85 <= len(series.points) <= 92
    missing = [p for p in series.points if p.value is None]
    assert 2 <= len(missing) <= 3
    assert all(p.low is not None for p in missing)
    assert series.points[-1].outside == 1


def test_the_table_gives_weeks_with_their_verdict() -> None:
    signal = evidence(random.Random(1), NOW)[0]
    rows = table_of(series_of(signal, ZoneInfo("Asia/Shanghai")), ZoneInfo("Asia/Shanghai"))
    assert 13 <= len(rows) <= 14
    assert rows[0].outside == 0
    assert rows[-1].outside == 1
    assert rows[1].start.weekday() == 0
    assert rows[1].end - rows[1].start == timedelta(days=6)


def test_an_older_revision_only_reaches_further_back() -> None:
    new = Signal("f", (30, 40), (3.0, 4.0), (0.0, 0.0), (5.0, 5.0))
    old = Signal("f", (10, 20, 35), (1.0, 2.0, 9.0), (0.0, 0.0, 0.0), (5.0, 5.0, 5.0))
    assert merge([new, old])["f"].t == (10, 20, 30, 40)


def test_labels_of_near_marks_share_no_place_and_no_lane_stays_empty() -> None:
    marks = (
        Mark(_START + 6 * _DAY, "onset", "onset 9 Mar, ±1 d", _START + 5 * _DAY, _START + 7 * _DAY),
        Mark(_START + 6 * _DAY + _DAY // 2, "finding", "finding"),
        Mark(_START + 8 * _DAY, "repair", "repair 11 Mar"),
        Mark(_START + 8 * _DAY + _DAY // 2, "now", "now"),
    )
    svg = draw(spec([9, 9, 9, 9, 9, 9, 11, 12], marks=marks))
    words = {m.label for m in marks}
    rows = {float(e.get("y", 0)) for e in by_class(svg, "c-b") if e.text in words}
    assert len(rows) <= 3


def test_an_onset_before_the_first_point_stands_at_the_edge() -> None:
    svg = draw(spec([9, 9, 9], marks=(Mark(_START - 3 * _DAY, "onset", "before", _START - 9 * _DAY, _START),)))
    left = float(by_class(svg, "c-axis")[0].get("d", "")[1:].split()[0])
    assert float(by_class(svg, "c-onset-mark")[0].get("d", "")[1:].split()[0]) >= left


def test_a_life_beyond_the_picture_is_not_promised_by_the_legend() -> None:
    far = Life(_START + 60 * _DAY, _START + 90 * _DAY, "8 weeks")
    assert not life_shown(spec([9, 9, 9], life=far))
    assert life_shown(spec([9, 9, 9], life=Life(_START + 4 * _DAY, _START + 5 * _DAY, "1 day")))


def test_a_rest_between_cycles_is_no_lack_of_data() -> None:
    hour, minute = 3_600 * MICROS, 60 * MICROS
    # Runs 40, 40 and 100 minutes apart: now and then an hour holds none; eight hours without any are a lack.
    times, at = [], _START
    for n in range(60):
        times.append(at)
        at += (8 * hour) if n == 40 else (40, 40, 100)[n % 3] * minute
    flat = tuple(1.0 for _ in times)
    signal = Signal(feature="run_time", t=tuple(times), value=flat, low=flat, high=flat)
    gaps = unknown_spans(series_of(signal, ZoneInfo("UTC")).points)
    assert len(gaps) == 1
    assert gaps[0][1] - gaps[0][0] >= 7 * hour
