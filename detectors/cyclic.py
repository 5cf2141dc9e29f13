"""The detector of appliances that work in cycles: segment, features, scores, decision, diagnosis."""

from __future__ import annotations

import math

import msgspec

from detectors import plug
from detectors.aftermath import Aftermath
from detectors.anew import forget_but, forget_family, forget_own
from detectors.baseline import centre_and_spread, models_of, reach_out
from detectors.cyclic_state import CyclicState, Recent, Span, Stand, clipped, take_lesson
from detectors.decision import Track, shifted, upper_tail
from detectors.diagnosis import (
    UNKNOWN,
    Deviations,
    Diagnosis,
    Match,
    diagnose,
    match,
    signatures_of,
)
from detectors.engine import Observation
from detectors.episodes import DAY, Assessment, Book
from detectors.evidence import Bins
from detectors.features import Extractor
from detectors.innocent import Innocent
from detectors.levels import learn
from detectors.life import Growth, Prior, remaining
from detectors.measured import Measured
from detectors.onset import onset_of
from detectors.opening import doubtful, failed, rivals
from detectors.peers import peers_of
from detectors.recovery import settles_of, telling_of, waits_of
from detectors.safety import SafetyWatch
from detectors.segment import Cycle, Segmenter
from detectors.self_test import Witness
from detectors.standby import Standby
from detectors.standing import Standing
from detectors.sudden import SuddenFaults
from detectors.updates import learn_shifts, off_lately
from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS
from telemetry.control import ControlEntry, ControlKind
from telemetry.finding import EpisodeState, Finding, Proof, Signal
from telemetry.identity import DeviceKey

NAME = "cycles"
_CLIP, _CLIP_ALONE = 6.0, 40.0
_EVEN = 1e-9
_GUARD = 2.5
_SIGNALS = 3

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(CyclicState)


class CyclicDetector:
    """All detectors of one cyclic device. Implements `DeviceDetector`.

    Args:
        key: the device.
        kind: its catalogue page.
        version: that findings carry.
    """

    def __init__(self, key: DeviceKey, kind: KindSpec, version: str) -> None:
        if kind.cycle is None:
            raise ValueError(f"{kind.kind} has no cycle definition")
        self._kind = kind
        self._adaptive = kind.cycle.adaptive
        self._names = list(kind.features)
        self._models = models_of(kind)
        self._signatures = signatures_of(kind, relative=self._adaptive)
        self._families = list(dict.fromkeys(s.family for s in self._signatures if s.family is not None))
        conditions = {other for spec in kind.features.values() for other in spec.explained_by}
        told = {i for s in self._signatures for i, size in enumerate(s.size) if not math.isnan(size)}
        self._judged = [i for i, name in enumerate(self._names) if i in told and name not in conditions]
        self._shown = [i for i in self._judged if any(s.size[i] > 0 or s.size[i] < 0 for s in self._signatures)]
        self._innocent = Innocent(self._signatures)
        self._rivals = rivals(self._signatures)
        self._stands_out: str | None = None
        self._telling = {} if self._adaptive else telling_of(kind, self._signatures)
        self._wait = waits_of(kind)
        self._settles = settles_of(kind)
        self._extract = Extractor(kind, tuple(self._names))
        self._aftermath = Aftermath(kind)
        self._measured = Measured(kind, self._signatures)
        self._safety = SafetyWatch(kind)
        self._witness = Witness(kind)
        tuning = kind.tuning
        self._need = int(tuning.get("reference", 40))
        self._tolerance = tuning.get("tolerance", 1.0)
        self._least = tuning.get("least_spread", 0.04)
        self._threshold = tuning.get("threshold", 14.0)
        self._cohort = tuning.get("cohort_threshold", 4.3)
        self._persist = int(tuning.get("cohort_cycles", 6))
        self._sudden = SuddenFaults(kind, self._signatures, self._measured, self._cohort, self._persist)
        self._exit = tuning.get("exit", 1.5)
        self._lead = round(max(fault.lead_days[1] for fault in kind.faults.values()) * DAY)
        self._band = tuning.get("band", 3.0)
        self._forget = tuning.get("forget", 0.15)
        self._longest = round(tuning.get("max_step_seconds", 300) * MICROS)
        self._standby = Standby(kind, self._longest)
        self._learn_time = round(tuning.get("learn_hours", 24) * 3600 * MICROS)
        self._book = Book(key, kind, NAME, version, int(tuning.get("exit_cycles", 24)))
        rest = "off_time" in kind.features
        self._segmenter = Segmenter(kind, rest_counts=rest, keep_rest=rest and not self._adaptive)
        self._share = (kind.cycle.on, kind.cycle.off)
        self._channel = list(kind.channels).index(kind.cycle.channel)
        width = round(tuning.get("evidence_hours", 6) * 3600 * MICROS)
        self.peers = peers_of(self._names, tuning)
        self._stand = Standing(self._models, self._judged, self.peers, self._forget)
        self._state = CyclicState(
            peers=self.peers.state,
            segment=self._segmenter.dump(),
            bins=Bins(width),
            own=[model.fresh() for model in self._models],
            recent=[Recent() for _ in self._models],
            tracks={family: Track() for family in self._families},
        )

    @property
    def judges(self) -> bool:
        """Whether the unit's own reference stands; before, a plug says nothing."""
        return bool(self._state.usual) if self._adaptive else self._state.learned >= self._need

    def observe(self, observation: Observation) -> list[Finding]:
        """Take the next run of messages; return new revisions of episodes, oldest first."""
        found: list[Finding] = []
        if observation.events:
            at = int(observation.t[-1]) if len(observation.t) else self._segmenter.last_t
            if at is not None:
                found += self._safety.observe(self._book, observation.epoch, at, observation.events)
            if at is not None and not self._adaptive and self._state.updates.hear(observation.events, at):
                # Another firmware runs: each feature may move; how far it was off so far it stays.
                each = zip(self._models, self._state.own, self._state.recent, strict=True)
                off = [off_lately(m, own, r.conditions, r.residual, self._tolerance) for m, own, r in each]
                self._state.updates.begin(off)
        t, values = observation.t, observation.values
        if len(values) and self._adaptive and self._state.levels.work is None:
            used = learn(self._state.levels, t, values[:, self._channel], self._longest, self._learn_time)
            if used is None:
                return found
            self._set_levels()
            t, values = t[used:], values[used:]
        if len(values):
            for low, high in self._standby.parts(self._state.standby, self._state.levels.work, t, values):
                for cycle in self._segmenter.feed(t[low:high], observation.phase, values[low:high]):
                    found += self._judge(cycle, observation.epoch)
        return found

    def lose(self, epoch: int, seq: int) -> list[Finding]:  # noqa: ARG002  (the interface's)
        """Readings are lost for ever: what is under way is dropped."""
        found: list[Finding] = []
        for cycle in self._segmenter.interrupt():
            found += self._judge(cycle, epoch)
        return found

    def control(self, entry: ControlEntry) -> list[Finding]:
        """A repair puts the family's episode under proof and starts its evidence anew; priors hold from here on.

        The device's own test tells the causes of an open episode apart.
        """
        if entry.kind is ControlKind.PRIORS:
            take_lesson(self._state, entry, self._families)
            return []
        if entry.kind is ControlKind.SELF_TEST:
            return self._witness.hear(entry, self._book)
        if entry.kind is ControlKind.COHORT_REFERENCE:
            return self.peers.hear(entry)
        return self._mended(entry) if entry.kind is ControlKind.REPAIR_DONE else []

    def _mended(self, entry: ControlEntry) -> list[Finding]:
        """Whatever was repaired, and whoever asked for it: what was seen before it says nothing any more."""
        family, state = entry.body.get("family"), self._state
        found = self._book.repaired(family, entry.at) if isinstance(family, str) else []
        if state.recovery.hear(entry.at):
            self._start_anew()
            if not found and not self._adaptive:
                # No proof will end with it: a new part is a new unit at once.
                self._forget_own()
        if found and family in state.tracks:
            self._forget_evidence(family)
            state.growth.pop(family, None)
            self._witness.forget(family)
        return found or []

    def _factor(self, family: str) -> float:
        lesson = self._state.lessons.get(family)
        return 1.0 if lesson is None else lesson.threshold

    def _diagnose(self, family: str, at: int, seen: Deviations) -> Diagnosis:
        chances = plug.chances(self._state.lessons.get(family), self._state.runs_a_day, self._kind.tuning)
        if self._adaptive:
            seen = plug.averaged(self._innocent, self._state.recent, seen, family, self._tolerance)
        chances = self._sudden.causes(family, self._state.tracks[family], chances, self._factor(family))
        plain = diagnose(self._names, self._signatures, family, seen, chances)
        episode = self._book.episodes.get(family)
        return self._witness.weigh(family, plain, at, at if episode is None else episode.finding.onset)

    def snapshot(self) -> bytes:
        """The whole state."""
        self._state.segment = self._segmenter.dump()
        self._state.episodes, self._state.mended = self._book.episodes, self._book.mended
        self._state.heard = self._witness.heard
        return _ENCODER.encode(self._state)

    def restore(self, state: bytes) -> None:
        """Take back a state of `snapshot` of the same version."""
        self._state = _DECODER.decode(state)
        self._segmenter.load(self._state.segment)
        self._book.episodes, self._book.mended = self._state.episodes, self._state.mended
        self._witness.heard = self._state.heard
        self.peers.state = self._state.peers
        self._set_levels()
        if self._state.runs_a_day:
            self._set_pace()

    def _set_levels(self) -> None:
        work = self._state.levels.work
        if self._adaptive and work is not None:
            self._segmenter.on, self._segmenter.off = self._share[0] * work, self._share[1] * work

    def _set_pace(self) -> None:
        """What hangs on how often an appliance behind a plug runs."""
        self._innocent.weather = plug.on_thermostat(self._state.runs_a_day, self._kind.tuning)
        self._forget = plug.forget(self._state.runs_a_day, self._kind.tuning)
        self._threshold = plug.threshold(self._state.runs_a_day, self._kind.tuning)
        self._least = plug.least_spread(self._state.runs_a_day, self._kind.tuning)

    def _judge(self, cycle: Cycle, epoch: int) -> list[Finding]:
        values = self._aftermath.without(cycle.start, self._extract(cycle), self._state.aftermath)
        at = cycle.following if cycle.following is not None else cycle.end
        if self._state.first_t is None:
            self._state.first_t = cycle.start
        found = self._safety.settle(self._book, cycle.start, at)
        blind = max(self._state.updates.at, self._state.recovery.at)
        if cycle.start < blind or any(self._book.blind(f, cycle.start) for f in self._families):
            return found
        if self._state.recovery.ends(cycle.start, self._settles):
            self._start_anew()
        self.peers.turn(cycle.start)
        judge = self._judge_alone if self._adaptive else self._judge_in_cohort
        return found + judge(Span(cycle.start, at, epoch), values)

    def _judge_alone(self, span: Span, values: list[float]) -> list[Finding]:
        """A plug: logarithms against the fixed reference of its own first days."""
        state = self._state
        values = self._standby.told(state.standby, values, state.usual)
        logs = [math.log(v) if v > 0 else math.nan for v in values]
        if not state.usual:
            plug.gather(state, span.start, logs)
            first = span.start if state.first_t is None else state.first_t
            if plug.enough(state.learned, span.at - first, self._kind.tuning):
                state.runs_a_day = state.learned * DAY / (span.at - first)
                self._set_pace()
                self._fix_reference()
            return []
        z, far = [math.nan] * len(values), [math.nan] * len(values)
        usual, sd = [centre for centre, _ in state.usual], [spread for _, spread in state.usual]
        for i in self._judged:
            self.peers.add(i, math.nan, logs[i] - usual[i], sd[i])
            if (common := self.peers.moved(i, span.start, sd[i])).shift:
                usual[i], sd[i] = usual[i] + common.shift, math.hypot(sd[i], math.sqrt(common.variance))
            far[i] = clipped((logs[i] - usual[i]) / sd[i], _CLIP_ALONE)
            z[i] = clipped(far[i], _CLIP)
            if not math.isnan(z[i]):
                state.recent[i].add([], z[i], self._forget)
        lately = [recent.residual if recent.n else math.nan for recent in state.recent]
        leading = self._stands_out = self._innocent.leading(lately, sd, self._tolerance)
        self._show(span.at, logs, usual, [s * s for s in sd])
        found: list[Finding] = []
        for family in self._families:
            score = self._best(family, z, sd).score
            if leading != family:
                score = min(score, 0.0)
            track = state.tracks[family]
            track.remember(span.start, score)
            needed = self._threshold * self._factor(family)
            track.step(span.start, score, self._tolerance, needed, self._forget, beyond=not self._innocent.weather)
            found += self._decide(family, span, 0.0, Deviations(far, sd, logs, usual))
        return found

    def _fix_reference(self) -> None:
        state = self._state
        columns = list(zip(*state.reference, strict=True))
        state.usual = [centre_and_spread(list(column), self._least) for column in columns]
        sd = [spread for _, spread in state.usual]
        for family in self._families:
            scores = []
            for logs in state.reference:
                z = [clipped((x - c) / s, _CLIP) for x, (c, s) in zip(logs, state.usual, strict=True)]
                scores.append(self._best(family, z, sd).score)
            track = state.tracks[family]
            track.clean = sorted(scores)
            for t, score in zip(state.reference_times, scores, strict=True):
                track.remember(t, score)
        usual, spread = [c for c, _ in state.usual], [s * s for s in sd]
        for t, logs in zip(state.reference_times, state.reference, strict=True):
            self._show(t, logs, usual, spread)
        state.reference, state.reference_times = [], []

    def _judge_in_cohort(self, span: Span, values: list[float]) -> list[Finding]:
        """A catalogued kind: the cohort from the first cycle on, its own reference once it has one."""
        state = self._state
        steady = state.learned >= self._need
        # Conditions that the reference has never seen are not judged but learned, unless something is wrong already.
        calm = steady and not self._open()
        one = self._stand(state, span.start, values, calm=calm, steady=steady)
        self._show(span.at, values, one.usual, one.spread)
        plain_sd, lately = one.sd_own, [recent.conditions for recent in state.recent]
        one.sd_own, one.sd_coh = self._measured.scaled(one.sd_own, one.x), self._measured.scaled(one.sd_coh, lately)
        one.sd_far = self._measured.scaled(one.sd_far, one.x)
        z_own, sd_own, z_coh, sd_coh, usual = one.z_own, one.sd_own, one.z_coh, one.sd_coh, one.usual
        matches = self._measured.match(z_coh, sd_coh, lately, one.share_coh)
        leading = self._leading(matches)
        own_matches = self._measured.match(z_own, sd_own, one.x, one.share_own)
        own_leading = self._leading(own_matches) if steady else None
        cohort = {f: max(matches[s.cause].score for s in self._signatures if s.family == f) for f in self._families}
        # What the reference was learned with may just have been replaced: the cohort alone tells of other families.
        proving = any(self._book.proving(family) for family in self._families)
        if not proving:
            self._sudden.judge(state.tracks, span.start, one, self._factor)
        if max(cohort.values()) < _GUARD and not state.recovery.lasts:
            self._learn(one)
        if max(own_matches[s.cause].score for s in self._signatures if s.family) < _GUARD:
            learn_shifts(state.updates.moved(), one.off, plain_sd)
        found: list[Finding] = []
        for family in self._families:
            track = state.tracks[family]
            own_best = max(own_matches[s.cause].score for s in self._signatures if s.family == family)
            own_score = own_best if own_leading == family else 0.0
            factor = self._factor(family)
            track.remember(span.start, own_best if steady else cohort[family])
            if steady and (not proving or self._book.is_open(family)):
                track.step(span.start, own_score, self._tolerance, self._threshold * factor, self._forget)
            # Evidence grows with the square of a deviation.
            here = cohort[family] >= self._cohort * math.sqrt(factor) and leading == family
            track.over = track.over + 1 if here else 0
            z, sd = (z_coh, sd_coh) if cohort[family] >= self._cohort * 0.7 or not steady else (z_own, sd_own)
            if self._sudden.opens(track, factor):
                z, sd = one.z_far, one.sd_far
            found += self._decide(family, span, cohort[family], Deviations(z, sd, values, usual))
        return found

    def _show(self, at: int, values: list[float], usual: list[float], spread: list[float]) -> None:
        self._state.bins.add(at, *([x[i] for i in self._shown] for x in (values, usual, spread)))

    def _learn(self, one: Stand) -> None:
        """The first clean cycles make the reference, never one that looks like a fault; later what is new."""
        state = self._state
        for i in one.fresh:
            reach_out(self._models[i], state.own[i], one.x[i], one.plain[i])
        if state.learned >= self._need or self._open():
            return
        for i in self._judged:
            if not math.isnan(one.plain[i]):
                self._models[i].learn(state.own[i], one.x[i], one.plain[i])
        state.learned += 1
        if state.learned > self._need // 5:
            for family in self._families:
                clean = state.tracks[family].clean
                clean.append(self._best(family, one.z_own, one.sd_own).score)
                clean.sort()

    def _best(self, family: str, z: list[float], sd: list[float]) -> Match:
        return max((match(s, z, sd) for s in self._signatures if s.family == family), key=lambda m: m.score)

    def _leading(self, matches: dict[str, Match]) -> str | None:
        """Family of the cause that explains most; None when that is a confounder, which needs to explain no more."""
        innocent = max((matches[s.cause].explained for s in self._signatures if s.family is None), default=0.0)
        best = max(self._signatures, key=lambda s: matches[s.cause].explained)
        return best.family if matches[best.cause].explained > innocent * (1 + _EVEN) else None

    def _decide(self, family: str, span: Span, cohort: float, seen: Deviations) -> list[Finding]:
        track = self._state.tracks[family]

        def what() -> Assessment:
            return self._assess(family, span.at, cohort, seen)

        if self._recovers(family, span, seen):
            return []
        if self._book.is_open(family):
            self._grow(family, span.at, seen)
            # What a plug sees may come to look like another fault; its episode ends when nothing stands out.
            calm = track.level < self._exit and cohort < self._exit + 1 and self._stands_out is None
            band = track.level < self._band and cohort < self._band
            finding = self._book.judge(
                family,
                span.start,
                span.at,
                calm=calm,
                band=band,
                cause=lambda: self._diagnose(family, span.at, seen).causes[0].fault,
                what=what,
            )
            if finding is not None and finding.state is EpisodeState.ENDED:
                self._witness.forget(family)
            if finding is not None and finding.proof is Proof.PROVEN and not self._adaptive:
                self._forget_own()
            return [] if finding is None else [finding]
        own = track.log_e >= self._threshold * self._factor(family)
        # A second opinion where there are enough cycles: ADWIN sees the shift, too.
        own = own and (not self._adaptive or shifted(track.scores))
        enough = own or track.over >= self._persist or self._sudden.opens(track, self._factor(family))
        if not enough or self._state.recovery.lasts or self._taken(family, span.at):
            return []
        if not self._adaptive and doubtful(self._diagnose(family, span.at, seen).causes):
            return []
        self._state.growth.pop(family, None)
        self._grow(family, span.at, seen)
        return [self._book.open(family, span.epoch, span.at, what())]

    def _open(self) -> list[str]:
        """Families with an open episode."""
        return [family for family in self._families if self._book.is_open(family)]

    def _taken(self, family: str, at: int) -> bool:
        """Whether another family's open episode keeps this one from opening."""
        others = [self._book.episodes[other] for other in self._open()]
        # One number tells no two faults apart; an appliance that fails moves all that a plug sees.
        over = [failed(one, self._state.growth) or self._sudden.over(one, at) for one in others]
        over += [one.finding.family in self._rivals[family] for one in others]
        return bool(others) if self._adaptive else any(over)

    def _recovers(self, family: str, span: Span, seen: Deviations) -> bool:
        """Whether a repaired appliance has yet to show the repaired part; once it does, the evidence starts anew."""
        telling, repaired = self._telling.get(family), self._book.mended.get(family)
        if self._adaptive and repaired is not None and span.start < repaired + DAY:
            # Whatever cools or heats behind the plug first comes back to its temperature.
            self._forget_evidence(family)
            return True
        if telling is None or repaired is None or span.start >= repaired + self._wait[family]:
            return False
        told = self._state.recent[telling].n
        if told == 1 and not math.isnan(seen.value[telling]):
            self._forget_evidence(family, telling)
        return told == 0 or (told == 1 and not math.isnan(seen.value[telling]))

    def _forget_evidence(self, family: str, but: int | None = None) -> None:
        forget_family(self._state, self._signatures, family, self._judged, but)

    def _start_anew(self) -> None:
        """After a repair the evidence of every family without an open episode starts anew."""
        forget_but(self._state, self._signatures, self._judged, self._open())

    def _grow(self, family: str, at: int, seen: Deviations) -> None:
        """Remember how far each cause of an open family would have come."""
        growth = self._state.growth.setdefault(family, Growth(at))
        growth.add(at, {s.cause: match(s, seen.z, seen.sd).amount for s in self._signatures if s.family == family})

    def _forget_own(self) -> None:
        forget_own(self._state, self._models)
        self.peers.forget_shifts()

    def _assess(self, family: str, at: int, cohort: float, seen: Deviations) -> Assessment:
        track = self._state.tracks[family]
        if self._adaptive:
            seen = Deviations(seen.z, seen.sd, [math.exp(v) for v in seen.value], [math.exp(v) for v in seen.usual])
        told = self._diagnose(family, at, seen)
        causes = told.causes
        # The test may name a fault of another family, too; this episode's date is that of its own.
        first = next(c.fault for c in causes if c.fault != UNKNOWN and self._kind.faults[c.fault].family == family)
        fault = self._kind.faults[first]
        first_t = at if self._state.first_t is None else self._state.first_t
        onset, low, high = onset_of(
            track,
            at,
            first_t,
            cohort=cohort,
            bounds=(self._threshold, self._cohort),
            lead=self._lead,
            fast=round(fault.lead_days[1] * DAY) if self._sudden.opens(track, self._factor(family)) else None,
        )
        p = min(1.0, math.exp(-track.log_e), *(upper_tail(z) for z in (cohort, track.sudden.least) if z))
        prior = Prior(fault.lead_days, fault.course.shape, (low, high))
        life = remaining(prior, first, self._state.growth[family], at)
        return Assessment(
            severity=fault.severity,
            onset=onset,
            onset_low=low,
            onset_high=high,
            score=1 - p,
            causes=causes,
            rejected=told.rejected,
            evidence=self._evidence(family, seen.z),
            life_low=life[0],
            life_high=life[1],
        )

    def _evidence(self, family: str, z: list[float]) -> tuple[Signal, ...]:
        moved = {i for s in self._signatures if s.family == family for i, _ in s.moving}
        ranked = sorted((i for i in moved if not math.isnan(z[i])), key=lambda i: -abs(z[i]))[:_SIGNALS]
        bins = self._state.bins
        signals = (bins.signal(self._names[i], self._shown.index(i), relative=self._adaptive) for i in ranked)
        return tuple(s for s in signals if s is not None)
