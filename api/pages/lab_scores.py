"""What detectors make of a device: scores with the bounds that open and end an episode, features with their bands.

From the newest run of the bench where there is one, else from the evidence of the newest finding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from markupsafe import Markup

from api.charts import Mark, Spec, draw
from api.context import Context, Tx
from api.evidence import Series, merge, midnight, series_of
from api.i18n import Words
from api.pages.lab_score_chart import ORDER, ScoreChart, draw_score
from api.pages.lab_words import family_title, feature_title
from api.units import Unit, unit_of
from storage.lab_store import Asked, LabRun, latest_run, open_run
from storage.read_devices import DeviceView, evidence_of
from storage.read_lab import Episode, episodes_of
from telemetry.catalogue import KindSpec
from telemetry.clock import to_datetime, to_micros
from telemetry.finding import Signal

_FAR = 2.0
_ROWS = 8
_PICTURES = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """A feature of a cycle: 0 usual, 1 outside its band, 2 far outside; up or down."""

    text: str
    far: int
    up: bool = True


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature over time, drawn with its band."""

    id: str
    title: str
    unit: str
    svg: Markup
    usual: str


@dataclass(frozen=True, slots=True)
class Scores:
    """What the page shows of detectors.

    Attributes:
        run: the bench's newest result, if there is one.
        going: a run that waits, goes or failed.
        families: to choose from: id, title, whether chosen.
        charts: one a score.
        names: of the table's columns: title and unit.
        rows: of the table, the newest cycle first: when, and cells.
        usual: last row of the table.
        features: charts.
        facts: of the run, in words.
    """

    run: LabRun | None
    going: LabRun | None
    families: list[tuple[str, str, bool]] = field(default_factory=list)
    charts: list[ScoreChart] = field(default_factory=list)
    names: list[tuple[str, str]] = field(default_factory=list)
    rows: list[tuple[str, list[Cell]]] = field(default_factory=list)
    usual: list[str] = field(default_factory=list)
    features: list[Feature] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)


def scores_of(t: Words, tx: Tx, context: Context, row: DeviceView, family: str) -> Scores:
    """Read and draw them."""
    asked = Asked("trace", row.no)
    run, going = latest_run(tx.conn, asked), open_run(tx.conn, asked)
    kind, episodes = context.catalogue[row.kind], episodes_of(tx.conn, row.no)
    if run is None or run.result is None:
        signals = list(merge(evidence_of(tx.conn, episodes[0].id)).values()) if episodes else []
        drawn = [drawn_feature(t, kind, signal, _marks(t, episodes[:1])) for signal in signals[:_PICTURES]]
        return Scores(None, going, features=[each for each in drawn if each is not None])
    into = Scores(run, going, facts=facts_of(t, run.result))
    return of_trace(t, kind, run.result, episodes, family=family, into=into)


def of_trace(
    t: Words, kind: KindSpec, found: Mapping[str, Any], episodes: Sequence[Episode], *, family: str, into: Scores
) -> Scores:
    """Charts and tables of a trace: a whole device's, or one up to a decision."""
    scores: Mapping[str, Any] = found["scores"]
    chosen = family if family in scores else leading(scores)
    into.families.extend((name, family_title(t, kind, name), name == chosen) for name in scores)
    of_family = [each for each in episodes if each.family == chosen]
    marks = _marks(t, of_family)
    if found["t"]:
        of_family_scores = sorted(scores.get(chosen, {}).items(), key=lambda each: ORDER.index(each[0]))
        into.charts.extend(draw_score(t, name, found["t"], score, marks) for name, score in of_family_scores)
    names = ranked(found["features"])
    _table(t, kind, found, names, into)
    for name in names[:_PICTURES]:
        picture = drawn_feature(t, kind, signal_of(name, found), marks)
        if picture is not None:
            into.features.append(picture)
    return into


def facts_of(t: Words, found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How much was observed again, by what."""
    facts = [
        (t.plain("Messages"), t.number(found["messages"])),
        (t.plain("Readings"), t.number(found["readings"])),
        (t.plain("Judgements"), t.number(found.get("seen") or found["trace"]["seen"])),
        (t.plain("Declared lost"), t.number(found["lost"])),
        (t.plain("Control entries"), t.number(found["controls"])),
        (t.plain("Detectors"), str(found["version"])),
    ]
    learned = found.get("learned")
    if learned:
        reference = t.plain("{n} of {all} clean cycles", n=t.number(learned["cycles"]), all=t.number(learned["of"]))
        facts.append((t.plain("Own reference"), reference))
    return facts


def leading(scores: Mapping[str, Any]) -> str:
    """The family whose newest score stands nearest to opening."""

    def near(family: str) -> float:
        shares = [
            last / score["opens"]
            for score in scores[family].values()
            if score["opens"]
            and (last := next((v for v in reversed(score["value"]) if v is not None), None)) is not None
        ]
        return max(shares, default=0.0)

    return max(scores, key=near, default="")


def ranked(features: Mapping[str, Any]) -> list[str]:
    """Features by how far their newest values lie from the middle of their bands."""

    def away(name: str) -> float:
        columns = features[name]
        parts = [
            abs(v - (low + high) / 2) / ((high - low) / 2)
            for v, low, high in zip(*(columns[key][-20:] for key in ("value", "low", "high")), strict=True)
            if v is not None and low is not None and high is not None and high > low
        ]
        return sum(parts) / len(parts) if parts else -1.0

    return sorted(features, key=away, reverse=True)


def signal_of(name: str, found: Mapping[str, Any]) -> Signal:
    """A feature's columns as a signal; rows without a band are left out."""
    columns = found["features"][name]
    rows = [
        (t, v, low, high)
        for t, v, low, high in zip(found["t"], columns["value"], columns["low"], columns["high"], strict=True)
        if low is not None and high is not None
    ]
    return Signal(
        name,
        tuple(t for t, *_ in rows),
        tuple(v for _, v, *_ in rows),
        tuple(low for *_, low, _ in rows),
        tuple(high for *_, high in rows),
    )


def drawn_feature(t: Words, kind: KindSpec, signal: Signal, marks: Sequence[Mark]) -> Feature | None:
    """A feature with its expected band; None where nothing of it is known."""
    known = sorted(abs(v) for v in signal.value if v is not None)
    spec = kind.features.get(signal.feature)
    unit = unit_of(spec.unit if spec else _channel_unit(kind, signal.feature), known[len(known) // 2] if known else 1.0)
    series = series_of(signal, t.zone, unit.scale)
    last = series.last
    if last is None:
        return None
    title = feature_title(t, kind, signal.feature)
    latest = unit.say(t.number(last.value or 0.0, unit.decimals), t.lang)
    usual = _usual(t, series, unit)
    first, end = (t.day(to_datetime(series.points[i].t)) for i in (0, -1))
    within = [mark for mark in marks if series.points[0].t <= mark.t <= series.points[-1].t]
    picture = draw(
        Spec(
            name=f"f-{signal.feature}",
            title=title,
            desc=t.plain(
                "From {first} to {last}. Usual for this appliance: {usual}. Latest: {latest}.",
                first=first,
                last=end,
                usual=usual,
                latest=latest,
            ),
            points=series.points,
            band_label="",
            last_label=latest,
            tick=partial(_tick, t),
            number=lambda value: t.number(value, 0 if abs(value - round(value)) < 1e-9 else max(1, unit.decimals)),  # noqa: PLR2004
            marks=within,
            origin=midnight(series.points[0].t, t.zone),
            width=360,
            height=170,
        )
    )
    return Feature(signal.feature, title, unit.name(t.lang), Markup(picture), usual)  # noqa: S704  (charts escape their texts)


def _channel_unit(kind: KindSpec, name: str) -> str:
    return kind.channels[name].unit if name in kind.channels else ""


def _usual(t: Words, series: Series, unit: Unit) -> str:
    banded = next((p for p in reversed(series.points) if p.low is not None and p.high is not None), None)
    if banded is None:
        return "–"
    return f"{t.number(banded.low or 0.0, unit.decimals)}–{t.number(banded.high or 0.0, unit.decimals)}"


def _tick(t: Words, micros: int) -> str:
    local = t.local(to_datetime(micros))
    return t.short_day(local) if (local.hour, local.minute) == (0, 0) else t.time(local)


def _marks(t: Words, episodes: Sequence[Episode]) -> list[Mark]:
    found = []
    for each in episodes:
        low, high = to_micros(each.onset_low), to_micros(each.onset_high)
        found.append(Mark(to_micros(each.onset), "onset", t.plain("onset"), low, high))
        found.append(Mark(to_micros(each.opened), "finding", t.plain("finding")))
    return found


def _table(t: Words, kind: KindSpec, found: Mapping[str, Any], names: Sequence[str], into: Scores) -> None:
    shown = list(names)[:_ROWS]
    units: dict[str, Unit] = {}
    for name in shown:
        values = [abs(v) for v in found["features"][name]["value"] if v is not None]
        spec = kind.features.get(name)
        units[name] = unit_of(spec.unit if spec else "", sorted(values)[len(values) // 2] if values else 1.0)
        into.names.append((feature_title(t, kind, name), units[name].name(t.lang)))
        columns, unit = found["features"][name], units[name]
        low, high = (next((v for v in reversed(columns[key]) if v is not None), None) for key in ("low", "high"))
        band = (low, high)
        into.usual.append(
            "–"
            if band[0] is None or band[1] is None
            else f"{t.number(band[0] * unit.scale, unit.decimals)}–{t.number(band[1] * unit.scale, unit.decimals)}"
        )
    for i in range(len(found["t"]) - 1, max(-1, len(found["t"]) - 1 - _ROWS), -1):
        cells = [_cell(t, found["features"][name], i, units[name]) for name in shown]
        into.rows.append((t.stamp(to_datetime(found["start"][i])), cells))


def _cell(t: Words, columns: Mapping[str, Any], i: int, unit: Unit) -> Cell:
    value, low, high = columns["value"][i], columns["low"][i], columns["high"][i]
    if value is None:
        return Cell("–", 0)
    said = t.number(value * unit.scale, unit.decimals)
    if low is None or high is None or high <= low:
        return Cell(said, 0)
    away = abs(value - (low + high) / 2) / ((high - low) / 2)
    return Cell(said, 0 if away <= 1 else 2 if away > _FAR else 1, value > high)


def old(run: LabRun, row: DeviceView) -> bool:
    """Whether readings came since a run."""
    return row.last_t is not None and row.last_t - run.asked > timedelta(hours=1)
