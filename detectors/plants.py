"""Memory of all continuous devices of a kind: arrays with one slot a device, so that one call can feed many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors import rowloop
from detectors.episodes import proofs_of
from detectors.evidence import Bins
from detectors.plant import Commissioning, commission
from detectors.rowloop import Fields, Rules
from detectors.safety import SafetyWatch
from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS

_FIRST = 16
_PLACES = 4


class SlotState(msgspec.Struct):
    """A slot as it is snapshotted: what of each field is in use, as bytes in the machine's order."""

    whole: bytes
    real: bytes
    channel: bytes
    model: bytes
    rows: bytes
    over: bytes
    track: bytes
    bins: bytes


class Plants:
    """Slots of one kind's devices.

    Args:
        kind: its channels and tuning give the sizes.
    """

    def __init__(self, kind: KindSpec) -> None:
        tuning = kind.tuning
        self.names = tuple(kind.channels)
        self.channels = len(kind.channels)
        self.fault, self.spec = next(iter(kind.faults.items()))
        self.quantile = tuning.get("quantile", 0.99)
        self.safety = SafetyWatch(kind)
        self.proofs = proofs_of(kind)
        self.exit_after = int(tuning.get("exit_windows", 4))
        effects = {effect.feature: effect for effect in self.spec.signature}
        share, most = tuning.get("level_share", 0.05), tuning.get("level_most", 0.5)
        self.rules = Rules(
            need=int(tuning.get("commissioning_rows", 400)),
            lag=int(tuning.get("lag", 5)),
            window=int(tuning.get("window_rows", 170)),
            step=round(tuning.get("max_step_seconds", 10) * MICROS),
            open_share=tuning.get("open_share", 0.7),
            exit_share=tuning.get("exit_share", 0.3),
            error_rate=1 / tuning.get("error_rows", 30),
            error_limit=tuning.get("error_limit", 1.0),
            error_follow=tuning.get("error_follow", 0.004),
            level_rate=tuning.get("level_rate", 0.15),
            level_limit=tuning.get("level_limit", 1.25),
            level_follow=1 / tuning.get("level_follow", 150),
            slow_rate=1 / tuning.get("slow_rows", 60),
            slow=np.array([channel.slow for channel in kind.channels.values()]),
            sign=np.array([float(effects[x].direction) if x in effects else 0.0 for x in self.names]),
            least=np.array([share * effects[x].size if x in effects else 0.0 for x in self.names]),
            most=np.array([most * effects[x].size if x in effects else 0.0 for x in self.names]),
        )
        self._how = Commissioning(
            lag=self.rules.lag,
            share=tuning.get("variance_kept", 0.9),
            slow=self.rules.slow,
            slow_rate=self.rules.slow_rate,
            level_rate=self.rules.level_rate,
            wander=tuning.get("wander", 3.0),
            rows=min(int(tuning.get("wander_rows", 100)), self.rules.need // 3),
        )
        self._look = int(tuning.get("evidence_rows", 16)) + self.rules.lag - 1
        self._width = round(tuning.get("evidence_seconds", 30) * MICROS)
        self._free: list[int] = []
        self._places: list[int] = []
        self.fields = self._made(1, 1)
        self._warm()

    def _warm(self) -> None:
        """Have the loops compiled: seconds at the first start of all, half a second when they are in the cache."""
        nobody = np.empty(0, np.int64)
        self.advance(nobody, np.empty((0, 2), np.int64), nobody, np.empty((0, self.channels), np.float32))
        self.contributions(0)
        rows = np.random.default_rng(0).normal(size=(self.rules.need, self.channels))
        commission(rows, self._how)
        self.fields = self._made(0, 0)

    def take(self) -> int:
        """A fresh slot; `give` takes it back."""
        if not self._free:
            self._grow()
        slot = self._free.pop()
        for field in self.fields[:-1]:
            field[slot].fill(0)
        whole = self.fields.whole[slot]
        whole[rowloop.BIN_WIDTH] = self._width
        whole[rowloop.PLACE] = self._place()
        self.fields.real[slot, rowloop.OPENING] = self.rules.open_share
        return slot

    def give(self, slot: int) -> None:
        """The slot's device is gone."""
        self._clear(slot)
        self._free.append(slot)

    def _place(self) -> int:
        """Room for commissioning rows, which a device needs for minutes of its life."""
        if not self._places:
            old = self.fields.early
            early = np.zeros((max(_PLACES, len(old) + len(old) // 4), *old.shape[1:]), np.float32)
            early[: len(old)] = old
            self.fields = self.fields._replace(early=early)
            self._places = list(range(len(early) - 1, len(old) - 1, -1))
        return self._places.pop()

    def _clear(self, slot: int) -> None:
        """Give the room for commissioning rows back; when little of all of it is in use, close the gaps."""
        whole = self.fields.whole
        place = int(whole[slot, rowloop.PLACE])
        if place < 0:
            return
        whole[slot, rowloop.PLACE] = -1
        self._places.append(place)
        early = self.fields.early
        used = len(early) - len(self._places)
        if len(early) > _PLACES and used < len(early) // 4:
            holding = np.flatnonzero(whole[:, rowloop.PLACE] >= 0)
            kept = np.zeros((max(_PLACES, 2 * len(holding)), *early.shape[1:]), np.float32)
            kept[: len(holding)] = early[whole[holding, rowloop.PLACE]]
            whole[holding, rowloop.PLACE] = np.arange(len(holding))
            self.fields = self.fields._replace(early=kept)
            self._places = list(range(len(kept) - 1, len(holding) - 1, -1))

    def advance(
        self,
        slots: NDArray[np.int64],
        span: NDArray[np.int64],
        t: NDArray[np.int64],
        values: NDArray[np.float32],
    ) -> NDArray[np.int8]:
        """Take rows up to the first behind which something must be done; `rowloop.advance` says how.

        Returns:
            Why each run stopped.
        """
        told = np.zeros(len(slots), np.int8)
        rowloop.advance(self.rules, self.fields, slots, span, t, values, told)
        return told

    def commission(self, slot: int) -> None:
        """Make the model of a slot whose commissioning rows are complete."""
        fields, rules = self.fields, self.rules
        whole, channel = fields.whole[slot], fields.channel[slot]
        plant = commission(fields.early[whole[rowloop.PLACE]].astype(np.float64), self._how)
        channel[rowloop.MEAN], channel[rowloop.SCALE] = plant.mean, plant.scale
        channel[rowloop.STACK_MEAN], channel[rowloop.STACK_WEIGHT] = plant.stack_mean, plant.stack_weight
        channel[rowloop.WANDER] = plant.wander
        channel[rowloop.LEVEL] = channel[rowloop.USUAL] = plant.mean
        channel[rowloop.SLOW] = plant.slow
        count = plant.loadings.shape[1]
        fields.loadings[slot, :, :count] = plant.loadings
        fields.real[slot, : rowloop.OPENING] = (0.0, plant.log_mean, plant.log_spread, 0.0, 0.0)
        held = rules.lag - 1
        fields.rows[slot, :held] = plant.last
        whole[rowloop.READY] = 1
        whole[rowloop.PARTS], whole[rowloop.KEPT] = count, plant.kept
        whole[rowloop.HELD] = whole[rowloop.ROW_AT] = held
        self._clear(slot)

    def interrupt(self, slot: int) -> None:
        """Readings are missing from here on: no stack spans them."""
        whole = self.fields.whole[slot]
        if whole[rowloop.READY]:
            whole[rowloop.HELD] = whole[rowloop.ROW_AT] = 0
            self.forget(slot)

    def forget(self, slot: int) -> None:
        """Begin a new window."""
        self.fields.whole[slot, [rowloop.OVER_N, rowloop.OVER_AT, rowloop.ERRORS, rowloop.LEVELS]] = 0

    def share(self, slot: int) -> float:
        """Share of the window's rows that are over: by the error, or by a level, whichever is larger."""
        return int(self.fields.whole[slot, [rowloop.ERRORS, rowloop.LEVELS]].max()) / self.rules.window

    def by_level(self, slot: int) -> bool:
        """Whether the levels speak more clearly than the error."""
        whole = self.fields.whole[slot]
        return bool(whole[rowloop.LEVELS] > whole[rowloop.ERRORS])

    def mark(self, slot: int, *, open_: bool) -> None:
        """Say whether the device has an open episode."""
        self.fields.whole[slot, rowloop.OPEN] = open_

    def teach(self, slot: int, factor: float) -> None:
        """Let so many times the evidence open an episode: what may be missing of a full window is divided by it."""
        missing = (1 - self.rules.open_share) / factor
        self.fields.real[slot, rowloop.OPENING] = max(1 - missing, self.rules.exit_share)

    def begun(self, slot: int) -> int:
        """When the share last left the exit bound; 0 when it never has."""
        return int(self.fields.whole[slot, rowloop.BEGUN])

    def levels(self, slot: int) -> tuple[list[float], list[float], list[float]]:
        """Each channel's level now, what was usual before, and the shift between them in units of its wander."""
        channel = self.fields.channel[slot]
        level, usual = channel[rowloop.LEVEL], channel[rowloop.USUAL]
        return level.tolist(), usual.tolist(), ((level - usual) / channel[rowloop.WANDER]).tolist()

    def track(self, slot: int) -> tuple[list[int], list[float]]:
        """Times and values of the dated scores, oldest first."""
        n, at = self.fields.whole[slot, [rowloop.TRACK_N, rowloop.TRACK_AT]].tolist()
        order = (at - n + np.arange(n)) % rowloop.TRACK
        return self.fields.track_t[slot, order].tolist(), self.fields.track_x[slot, order].tolist()

    def contributions(self, slot: int) -> list[float]:
        """Each channel's squared residual, mean over the last rows."""
        shares: list[float] = rowloop.contributions(self.rules, self.fields, slot).tolist()
        return shares

    def evidence(self, slot: int) -> Bins:
        """The channels over time, with the band of commissioning around what is usual."""
        fields = self.fields
        n, width, last = fields.whole[slot, [rowloop.BINS, rowloop.BIN_WIDTH, rowloop.BIN_LAST]].tolist()
        count = np.repeat(fields.bin_n[slot, :n, None], self.channels, axis=1)
        channel = fields.channel[slot]
        return Bins(
            width=width,
            last=last,
            index=fields.bin_at[slot, :n].tolist(),
            count=count.tolist(),
            value=(count * fields.bin_mean[slot, :n].astype(np.float64)).tolist(),
            usual=(count * channel[rowloop.USUAL]).tolist(),
            spread=(count * channel[rowloop.SCALE] ** 2).tolist(),
        )

    def dump(self, slot: int) -> SlotState:
        """The slot's state; `load` takes it back exactly."""
        fields = self.fields
        # Where its commissioning rows lie is this process's business.
        whole = fields.whole[slot].copy()
        whole[rowloop.PLACE] = 0
        return SlotState(
            whole=whole.tobytes(),
            real=fields.real[slot].tobytes(),
            channel=fields.channel[slot].tobytes(),
            model=_joined([self._model(slot)]),
            rows=fields.rows[slot].tobytes(),
            over=fields.over[slot].tobytes(),
            track=_joined(self._track(slot)),
            bins=_joined(self._bins(slot)),
        )

    def load(self, slot: int, state: SlotState) -> None:
        """Take back a state of `dump`."""
        whole = self.fields.whole[slot]
        place = int(whole[rowloop.PLACE])
        _split(state.whole, [whole])
        whole[rowloop.PLACE] = place
        if whole[rowloop.READY]:
            self._clear(slot)
        elif place < 0:
            self.fields.whole[slot, rowloop.PLACE] = self._place()
        fields = self.fields
        _split(state.real, [fields.real[slot]])
        _split(state.channel, [fields.channel[slot]])
        # What of the others is in use stands in the integers.
        _split(state.model, [self._model(slot)])
        _split(state.rows, [fields.rows[slot]])
        _split(state.over, [fields.over[slot]])
        _split(state.track, self._track(slot))
        _split(state.bins, self._bins(slot))

    def _model(self, slot: int) -> NDArray[Any]:
        """The commissioning rows, or what was made of them."""
        fields, whole = self.fields, self.fields.whole[slot]
        if not whole[rowloop.READY]:
            return fields.early[whole[rowloop.PLACE], : whole[rowloop.HELD]]
        return fields.loadings[slot, :, : whole[rowloop.PARTS]]

    def _track(self, slot: int) -> list[NDArray[Any]]:
        n = int(self.fields.whole[slot, rowloop.TRACK_N])
        return [self.fields.track_t[slot, :n], self.fields.track_x[slot, :n]]

    def _bins(self, slot: int) -> list[NDArray[Any]]:
        fields, n = self.fields, int(self.fields.whole[slot, rowloop.BINS])
        return [fields.bin_at[slot, :n], fields.bin_n[slot, :n], fields.bin_mean[slot, :n]]

    def _made(self, slots: int, places: int) -> Fields:
        rules, channels = self.rules, self.channels
        size, points = channels * rules.lag, rowloop.POINTS + 1
        whole = np.zeros((slots, rowloop.WHOLE), np.int64)
        whole[:, rowloop.PLACE] = -1
        return Fields(
            whole=whole,
            real=np.zeros((slots, rowloop.REAL)),
            channel=np.zeros((slots, rowloop.CHANNEL, channels)),
            loadings=np.zeros((slots, size, -(-size // 2)), np.float32),
            rows=np.zeros((slots, self._look, channels), np.float32),
            over=np.zeros((slots, rules.window), np.uint8),
            track_t=np.zeros((slots, rowloop.TRACK), np.int64),
            track_x=np.zeros((slots, rowloop.TRACK), np.float32),
            bin_at=np.zeros((slots, points), np.int64),
            bin_n=np.zeros((slots, points), np.int32),
            bin_mean=np.zeros((slots, points, channels), np.float32),
            early=np.zeros((places, rules.need, channels), np.float32),
        )

    def _grow(self) -> None:
        old = len(self.fields.whole)
        grown = self._made(max(_FIRST, old + old // 16), 0)
        for new, field in zip(grown[:-1], self.fields[:-1], strict=True):
            cast("NDArray[Any]", new)[:old] = field
        self.fields = grown._replace(early=self.fields.early)
        self._free += range(len(grown.whole) - 1, old - 1, -1)


def _joined(parts: Sequence[NDArray[Any]]) -> bytes:
    return b"".join(part.tobytes() for part in parts)


def _split(data: bytes, parts: Sequence[NDArray[Any]]) -> None:
    """Fill views of arrays with consecutive bytes."""
    at = 0
    for part in parts:
        part[...] = np.frombuffer(data, part.dtype, part.size, at).reshape(part.shape)
        at += part.nbytes
