"""A ticket as people see it: what was noticed, how it looks, why, what it costs. Shared by owners' and staff pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from markupsafe import Markup

from api.charts import Life, Mark, Proof, Spec, draw, life_shown
from api.context import Tx
from api.evidence import Row, Series, merge, midnight, series_of, table_of
from api.i18n import Words
from api.pages.costs import Cost, cost_of
from api.units import HOURS_A_DAY, Unit, unit_of
from servicedesk.policy import fault_of, proof_time
from servicedesk.states import TicketState, VisitState
from servicedesk.texts import onset_label, text
from storage.read_desk import TicketView, VisitView
from storage.read_devices import FindingView, evidence_of
from telemetry.catalogue import Catalogue, FaultSpec, FeatureSpec, KindSpec
from telemetry.catalogue.measure import MeasureSpec
from telemetry.clock import MICROS, to_datetime, to_micros
from telemetry.finding import Cause, Signal

_LIVE = (VisitState.PROPOSED, VisitState.CONFIRMED, VisitState.DISPATCHED, VisitState.TRAVELLING, VisitState.ON_SITE)
ICONS = {
    "refrigerator": "fridge",
    "freezer": "freezer",
    "heat_pump": "heatpump",
    "water_heater": "heater",
    "washing_machine": "washer",
    "dishwasher": "dishes",
    "tumble_dryer": "dryer",
    "pump": "pump",
}
"""What other kinds are shown as is a plug."""
_DAY = 86_400 * MICROS
_UNLIKELY = 0.03
_TENTH = 0.05
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class CauseLine:
    """A likely cause: share 0 to 1."""

    title: str
    share: float
    text: str


@dataclass(frozen=True, slots=True)
class OutLine:
    """What was ruled out, and by what."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The evidence chart: SVG, caption, and its table with values already in words."""

    svg: Markup
    svg_wide: Markup
    title: str
    caption: str
    unit: str
    rows: list[tuple[str, str, str, str]]
    latest: str
    usual: str
    before: str
    gap: bool
    outside: bool
    life: bool
    series: Series


@dataclass(slots=True)
class Case:
    """A ticket with its words."""

    t: Words
    ticket: TicketView
    kind: KindSpec | None
    fault: FaultSpec | None
    finding: FindingView | None
    evidence: dict[str, Signal]
    visits: list[VisitView]
    now: datetime
    reckon: Callable[[], Cost]

    @property
    def visit(self) -> VisitView | None:
        """The live visit, else the done one, else none."""
        live = [v for v in self.visits if v.state in _LIVE]
        done = [v for v in self.visits if v.state == VisitState.DONE]
        return live[-1] if live else done[-1] if done else None

    @property
    def appliance(self) -> str:
        """The kind's name."""
        return self.t.pick(self.kind.title) if self.kind else self.ticket.kind

    @property
    def place(self) -> str:
        """The appliance with its room."""
        room = self.t.room(self.ticket.room) if self.ticket.room else ""
        return self.t.plain("{appliance}, {room}", appliance=self.appliance, room=room) if room else self.appliance

    @property
    def icon(self) -> str:
        """The kind's symbol."""
        return ICONS.get(self.ticket.kind, "plug")

    @property
    def title(self) -> str:
        """For staff: the fault in a few words."""
        return self.t.pick(self.fault.title) if self.fault else self.ticket.family.replace("_", " ")

    @property
    def notice(self) -> str:
        """For owners: the one sentence of what was noticed."""
        day = self.t.day(self.finding.onset if self.finding else self.ticket.opened)
        since = self.t.pick(text("label", self._onset_label)).format(day=day)
        if self.fault is None:
            return self.t.plain("Something about your appliance has changed since {onset}.", onset=since)
        return self.t.pick(self.fault.notice).format(onset=since, day=day)

    @property
    def _onset_label(self) -> str:
        f = self.finding
        return onset_label(f.onset - f.onset_low, f.onset_high - f.onset) if f is not None else "onset_about"

    @property
    def life(self) -> str:
        """The remaining life as a range in words, counted from now; empty when unknown or spent."""
        span = self._life_span()
        if span is None:
            return ""
        low, high = ((end - to_micros(self.now)) / MICROS for end in span)
        return self.t.life(max(0.0, low), high) if high > 0 else ""

    @property
    def proof_length(self) -> timedelta:
        """How long the telemetry must stay in band."""
        return proof_time(self.fault)

    @property
    def cost(self) -> Cost:
        """What the owner would pay, as it would be quoted."""
        return self.reckon()

    def causes(self) -> list[CauseLine]:
        """Likely causes, most probable first."""
        if self.finding is None:
            return []
        return [line for cause in self.finding.finding.causes if (line := self._cause(cause)) is not None]

    def ruled_out(self) -> list[OutLine]:
        """Causes and confounders that the telemetry speaks against."""
        if self.finding is None or self.kind is None:
            return []
        lines = []
        for each in self.finding.finding.rejected:
            confounder, fault = self.kind.confounders.get(each.cause), self.kind.faults.get(each.cause)
            if confounder is not None:
                lines.append(OutLine(self.t.pick(confounder.title), self.t.pick(confounder.against)))
            elif fault is not None:
                lines.append(OutLine(self.t.pick(fault.title), self._against(each.feature, each.value, each.expected)))
        return lines

    def picture(self, name: str, *, wide: bool = False, feature: str | None = None) -> Picture | None:
        """The evidence chart of the leading signal, or of a named one; None where there is no evidence.

        Staff (`wide`) see the signal that deviates most, owners the plainest that has left its usual range.
        """
        ranked = [each.feature for each in self.finding.finding.evidence] if self.finding else []
        leading = feature or (ranked[0] if wide and ranked else self._plainest(ranked))
        if leading is None or leading not in self.evidence:
            return None
        signal = self._recent(self.evidence[leading], 60 if wide else 45)
        known = sorted(abs(v) for v in signal.value if v is not None)
        spec = self.kind.features.get(leading) if self.kind else None
        unit = unit_of(spec.unit if spec else "", known[len(known) // 2] if known else 1.0)
        if spec is not None and spec.per_day and not wide:
            unit = HOURS_A_DAY
        series = series_of(signal, self.t.zone, unit.scale)
        if series.last is None:
            return None
        title = self.t.pick(spec.title) if spec else leading
        if unit is HOURS_A_DAY:
            title = self.t.plain("Running time a day")
        return self._picture(name, series, unit, title, wide=wide)

    def _plainest(self, ranked: list[str]) -> str | None:
        """The first signal in words that owners know which was mostly outside its range before the repair."""
        names = [*(f for f in ranked if f in self.evidence), *(f for f in self.evidence if f not in ranked)]
        specs = self.kind.features if self.kind else {}

        def order(feature: str) -> tuple[bool, bool, float]:
            share = self._outside_share(self.evidence[feature])
            technical = feature in specs and specs[feature].technical
            return share < _MOSTLY, technical, -share if share < _MOSTLY else 0.0

        return min(names, key=order, default=None)

    def _outside_share(self, signal: Signal) -> float:
        """Of the values from the onset to the repair or now, the share outside the band."""
        since = to_micros(self.finding.onset) if self.finding else 0
        until = to_micros(self.ticket.done or self.now)
        rows = zip(signal.t, signal.value, signal.low, signal.high, strict=True)
        outside = [not low <= v <= high for t, v, low, high in rows if v is not None and since <= t <= until]
        return sum(outside) / len(outside) if outside else 0.0

    def _picture(self, name: str, series: Series, unit: Unit, title: str, *, wide: bool) -> Picture:
        t, last = self.t, series.last
        shown = unit.name(t.lang)
        latest = unit.say(t.number(last.value or 0.0, unit.decimals), t.lang) if last else ""
        rows = table_of(series, t.zone)
        banded = next((p for p in reversed(series.points) if p.low is not None), None)
        usual = self._usual(banded.low or 0.0, banded.high or 0.0, unit) if banded else ""
        finding = self.finding
        caption = t.plain("{title} ({unit})", title=title, unit=shown) if shown else title
        desc = t.plain(
            "From {first} to {last}. Usual for this appliance: {usual}. Latest: {latest}.",
            first=t.day(to_datetime(series.points[0].t)),
            last=t.day(to_datetime(series.points[-1].t)),
            usual=usual,
            latest=latest,
        )
        if finding is not None:
            about = t.plain("The change began about {day}.", day=t.day(finding.onset))
            latest_known = t.plain("The change began on {day} or before.", day=t.day(finding.onset))
            desc += " " + (latest_known if self._onset_label == "onset_before" else about)
        spec = partial(
            Spec,
            title=title,
            desc=desc,
            points=series.points,
            band_label=t.plain("usual for this appliance") if wide else t.plain("usual range"),
            last_label=latest,
            tick=self._tick,
            origin=midnight(series.points[0].t, t.zone),
            number=lambda value: t.number(value, 0 if abs(value - round(value)) < 1e-9 else max(1, unit.decimals)),  # noqa: PLR2004
            life=self._life_mark(wide=wide),
            proof=self._proof_mark(),
            gap_label=t.plain("no data") if wide else "",
        )
        # Two sizes of the same picture, so that its text is neither tiny nor huge; the stylesheet shows one.
        svg = draw(spec(name=name, marks=self._marks(wide=False)))
        width, height = (712, 300) if wide else (540, 270)
        broad_spec = spec(name=f"{name}w", width=width, height=height, marks=self._marks(wide=wide))
        svg_wide = draw(broad_spec)
        before = unit.say(t.number(worst, unit.decimals), t.lang) if (worst := _worst(series)) is not None else ""
        gap = any(p.value is None for p in series.points)
        outside = any(p.outside for p in series.points)
        lines = [self._table_row(row, unit) for row in rows]
        narrow, broad = Markup(svg), Markup(svg_wide)  # noqa: S704  (charts escape their texts)
        life = life_shown(broad_spec)
        return Picture(narrow, broad, title, caption, shown, lines, latest, usual, before, gap, outside, life, series)

    def _table_row(self, row: Row, unit: Unit) -> tuple[str, str, str, str]:
        t = self.t
        same = row.start.date() == row.end.date()
        when = t.short_day(row.start) if same else f"{t.short_day(row.start)}–{t.short_day(row.end)}"
        usual = "–" if row.low is None or row.high is None else self._usual(row.low, row.high, unit, bare=True)
        if row.value is None:
            return when, "–", usual, t.plain("no data")
        words = {0: t.plain("in range"), 1: t.plain("above"), -1: t.plain("below")}
        return when, t.number(row.value, unit.decimals), usual, words[row.outside]

    def _usual(self, low: float, high: float, unit: Unit, *, bare: bool = False) -> str:
        text = f"{self.t.number(low, unit.decimals)}–{self.t.number(high, unit.decimals)}"
        return text if bare else unit.say(text, self.t.lang)

    def _marks(self, *, wide: bool) -> list[Mark]:
        t, marks, visit = self.t, [], self.visit
        if self.finding is not None:
            f = self.finding
            spread = max(1, round((f.onset_high - f.onset_low).total_seconds() / 2 / 86_400))
            if self._onset_label == "onset_before":
                label = t.plain("{day} or before", day=t.short_day(f.onset))
            elif wide:
                label = t.plain("onset {day}, ±{n} d", day=t.short_day(f.onset), n=spread)
            else:
                label = t.plain("since ~{day}", day=t.short_day(f.onset))
            marks.append(Mark(to_micros(f.onset), "onset", label, to_micros(f.onset_low), to_micros(f.onset_high)))
            if wide:
                marks.append(Mark(to_micros(f.opened), "finding", t.plain("finding")))
        done = self.ticket.done
        if done is not None:
            marks.append(Mark(to_micros(done), "repair", t.plain("repair {day}", day=t.short_day(done))))
        elif visit is not None and visit.state in _LIVE:
            label = t.plain("visit {day}", day=t.short_day(visit.start)) if wide else t.plain("visit")
            marks.append(Mark(to_micros(visit.start), "visit", label))
        if self.ticket.verified is None:
            marks.append(Mark(to_micros(self.now), "now", t.plain("now") if wide else t.plain("today")))
        return marks

    def _tick(self, micros: int) -> str:
        local = self.t.local(to_datetime(micros))
        return self.t.short_day(local) if (local.hour, local.minute) == (0, 0) else self.t.time(local)

    def _life_mark(self, *, wide: bool) -> Life | None:
        span = self._life_span()
        if span is None or self.ticket.done is not None or settled(self.ticket.state) or not self.life:
            return None
        if wide:
            return Life(*span, self.t.plain("may fail: {life}", life=self.life))
        return Life(*span, self.life, self.t.plain("may fail"))

    def _proof_mark(self) -> Proof | None:
        done = self.ticket.done
        if done is None or (self.finding is not None and self.finding.opened > done):
            return None
        start, needed = to_micros(done), round(self.proof_length.total_seconds() * MICROS)
        if self.ticket.verified is None:
            return Proof(start, start + needed, self.t.plain("proving"))
        end = to_micros(self.ticket.verified)
        days = max(1, round((end - start) / _DAY))
        label = self.t.plain("1 day") if days == 1 else self.t.plain("{n} days", n=days)
        return Proof(start, end, label)

    def _life_span(self) -> tuple[int, int] | None:
        f = self.finding
        if f is None or f.life_low is None or f.life_high is None:
            return None
        base = to_micros(f.observed)
        return base + round(f.life_low * MICROS), base + round(f.life_high * MICROS)

    def _recent(self, signal: Signal, days: int) -> Signal:
        """The last so many days before now, but always from a week before the onset."""
        from_onset = to_micros(self.finding.onset) - 10 * _DAY if self.finding else signal.t[0]
        since = min(signal.t[-1] - days * _DAY, from_onset)
        keep = [i for i, when in enumerate(signal.t) if when >= since]
        return Signal(
            feature=signal.feature,
            t=tuple(signal.t[i] for i in keep),
            value=tuple(signal.value[i] for i in keep),
            low=tuple(signal.low[i] for i in keep),
            high=tuple(signal.high[i] for i in keep),
        )

    def _cause(self, cause: Cause) -> CauseLine | None:
        fault = self.kind.faults.get(cause.fault) if self.kind else None
        if cause.probability < _UNLIKELY:
            return None
        if fault is None:
            if cause.probability < _TENTH:
                return None
            text = self.t.plain("A technician will look before anything is replaced.")
            return CauseLine(self.t.plain("Something else"), cause.probability, text)
        return CauseLine(self.t.pick(fault.title), cause.probability, self.t.pick(fault.explain))

    def reasons(self) -> list[str]:
        """For staff: the measurements that speak for the first cause, with what is usual."""
        if self.finding is None or not self.finding.finding.causes:
            return []
        said = []
        for feature, value, usual in self.finding.finding.causes[0].reasons[:4]:
            spec = self._measured(feature)
            if spec is None:
                continue
            unit = unit_of(spec.unit, usual or value)
            said.append(
                self.t.plain(
                    "{feature}: {value}, usual {usual}",
                    feature=self.t.pick(spec.title),
                    value=unit.say(self.t.number(value * unit.scale, unit.decimals), self.t.lang),
                    usual=unit.say(self.t.number(usual * unit.scale, unit.decimals), self.t.lang),
                )
            )
        return said

    def _measured(self, name: str) -> FeatureSpec | MeasureSpec | None:
        """What a finding rests on: a feature of the readings, or a quantity of the appliance's own test."""
        return None if self.kind is None else self.kind.features.get(name) or self.kind.self_test.get(name)

    def _against(self, feature: str, value: float, expected: float) -> str:
        spec = self._measured(feature)
        if spec is None:
            return self.t.plain("The measurements speak against it.")
        unit = unit_of(spec.unit, max(abs(value), abs(expected)))
        return self.t.plain(
            "{feature} is {value}; it would be about {expected}.",
            feature=self.t.pick(spec.title),
            value=unit.say(self.t.number(value * unit.scale, unit.decimals), self.t.lang),
            expected=unit.say(self.t.number(expected * unit.scale, unit.decimals), self.t.lang),
        )


def _worst(series: Series) -> float | None:
    """The value furthest outside its band, or None when all were in it."""
    outside = [p for p in series.points if p.outside and p.value is not None]
    if not outside:
        return None
    return max(outside, key=lambda p: max((p.value or 0) - (p.high or 0), (p.low or 0) - (p.value or 0))).value


def load_case(  # noqa: PLR0917  (all of them are the case)
    tx: Tx, catalogue: Catalogue, ticket: TicketView, finding: FindingView | None, visits: list[VisitView], words: Words
) -> Case:
    """Everything a page says about a ticket."""
    kind = catalogue[ticket.kind] if ticket.kind in catalogue else None  # noqa: SIM401  (not a dict)
    fault = fault_of(kind, ticket.family, ticket.fault) if kind else None
    evidence = merge(evidence_of(tx.conn, finding.id)) if finding is not None else {}
    reckon = partial(cost_of, tx, ticket.id, words, ticket.warranty_until)
    return Case(words, ticket, kind, fault, finding, evidence, visits, tx.now, reckon)


def settled(state: str) -> bool:
    """Whether nothing is left to do."""
    return state in (TicketState.CLOSED, TicketState.SELF_FIXED, TicketState.FALSE_ALARM, TicketState.CANCELLED)
