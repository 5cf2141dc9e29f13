"""Memory of all continuous devices of a kind: arrays with one slot a device, so that one call can feed many."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors import rowloop
from detectors.evidence import Bins
from detectors.plant import commission
from detectors.rowloop import Fields, Rules
from telemetry.catalogue import KindSpec
from telemetry.clock import MICROS

_FIRST = 16


class SlotState(msgspec.Struct):
    """A slot as it is snapshotted: what of each field is in use, as bytes in the machine's order."""

    whole: bytes
    real: bytes
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
        self.channels = len(kind.channels)
        self.rules = Rules(
            need=int(tuning.get("commissioning_rows", 400)),
            lag=int(tuning.get("lag", 5)),
            window=int(tuning.get("window_rows", 30)),
            step=round(tuning.get("max_step_seconds", 10) * MICROS),
            open_share=tuning.get("open_share", 0.8),
            exit_share=tuning.get("exit_share", 0.3),
        )
        self._kept = tuning.get("variance_kept", 0.9)
        self._quantile = tuning.get("quantile", 0.99)
        self._width = round(tuning.get("evidence_seconds", 30) * MICROS)
        self._free: list[int] = []
        self.fields = self._made(1)
        self._warm()

    def _warm(self) -> None:
        """Have the loops compiled: seconds at the first start of all, half a second when they are in the cache."""
        nobody = np.empty(0, np.int64)
        self.advance(nobody, np.empty((0, 2), np.int64), nobody, np.empty((0, self.channels), np.float32))
        self.contributions(0)
        self.fields = self._made(0)

    def take(self, owner: object) -> int:
        """A fresh slot, given back when its owner is gone."""
        if not self._free:
            self._grow()
        slot = self._free.pop()
        for field in self.fields:
            field[slot].fill(0)
        self.fields.whole[slot, rowloop.BIN_WIDTH] = self._width
        weakref.finalize(owner, self._free.append, slot).atexit = False
        return slot

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
        rows = fields.early[slot, : rules.need * self.channels].reshape(rules.need, self.channels).copy()
        plant = commission(rows.astype(np.float64), rules.lag, self._kept, self._quantile)
        fields.mean[slot], fields.scale[slot] = plant.mean, plant.scale
        fields.store[slot, : plant.rest.size] = plant.rest.ravel()
        # The rows lay in the same memory.
        fields.store[slot, plant.rest.size :] = 0
        fields.real[slot] = (0.0, plant.limit, plant.log_mean, plant.log_spread)
        held = rules.lag - 1
        fields.rows[slot, :held] = rows[len(rows) - held :]
        whole = fields.whole[slot]
        whole[rowloop.READY] = 1
        whole[rowloop.FREE] = plant.rest.shape[1]
        whole[rowloop.HELD] = whole[rowloop.ROW_AT] = held

    def interrupt(self, slot: int) -> None:
        """Readings are missing from here on: no stack spans them."""
        whole = self.fields.whole[slot]
        if whole[rowloop.READY]:
            whole[rowloop.HELD] = whole[rowloop.ROW_AT] = 0
            self.forget(slot)

    def forget(self, slot: int) -> None:
        """Begin a new window."""
        self.fields.whole[slot, [rowloop.OVER_N, rowloop.OVER_AT, rowloop.OVER_SUM]] = 0

    def share(self, slot: int) -> float:
        """Share of the window's rows that break the limit."""
        return int(self.fields.whole[slot, rowloop.OVER_SUM]) / self.rules.window

    def mark(self, slot: int, *, open_: bool) -> None:
        """Say whether the device has an open episode."""
        self.fields.whole[slot, rowloop.OPEN] = open_

    def begun(self, slot: int) -> int:
        """When the share last left the exit bound; 0 when it never has."""
        return int(self.fields.whole[slot, rowloop.BEGUN])

    def usual(self, slot: int) -> tuple[list[float], list[float]]:
        """Mean and standard deviation of each channel in commissioning."""
        return self.fields.mean[slot].tolist(), self.fields.scale[slot].tolist()

    def track(self, slot: int) -> tuple[list[int], list[float]]:
        """Times and values of the dated scores, oldest first."""
        n, at = self.fields.whole[slot, [rowloop.TRACK_N, rowloop.TRACK_AT]].tolist()
        order = (at - n + np.arange(n)) % rowloop.TRACK
        return self.fields.track_t[slot, order].tolist(), self.fields.track_x[slot, order].tolist()

    def contributions(self, slot: int) -> tuple[list[float], list[float]]:
        """Each channel's squared residual and deviation, means over the window."""
        share, level = rowloop.contributions(self.rules, self.fields, slot)
        return share.tolist(), level.tolist()

    def evidence(self, slot: int) -> Bins:
        """The channels over time, with the band of commissioning."""
        fields = self.fields
        n, width, last = fields.whole[slot, [rowloop.BINS, rowloop.BIN_WIDTH, rowloop.BIN_LAST]].tolist()
        count = np.repeat(fields.bin_n[slot, :n, None], self.channels, axis=1)
        return Bins(
            width=width,
            last=last,
            index=fields.bin_at[slot, :n].tolist(),
            count=count.tolist(),
            value=fields.bin_sum[slot, :n].tolist(),
            usual=(count * fields.mean[slot]).tolist(),
            spread=(count * fields.scale[slot] ** 2).tolist(),
        )

    def dump(self, slot: int) -> SlotState:
        """The slot's state; `load` takes it back exactly."""
        fields = self.fields
        return SlotState(
            whole=fields.whole[slot].tobytes(),
            real=fields.real[slot].tobytes(),
            model=_joined(self._model(slot)),
            rows=fields.rows[slot].tobytes(),
            over=fields.over[slot].tobytes(),
            track=_joined(self._track(slot)),
            bins=_joined(self._bins(slot)),
        )

    def load(self, slot: int, state: SlotState) -> None:
        """Take back a state of `dump`."""
        fields = self.fields
        _split(state.whole, [fields.whole[slot]])
        _split(state.real, [fields.real[slot]])
        # What of the others is in use stands in the integers.
        _split(state.model, self._model(slot))
        _split(state.rows, [fields.rows[slot]])
        _split(state.over, [fields.over[slot]])
        _split(state.track, self._track(slot))
        _split(state.bins, self._bins(slot))

    def _model(self, slot: int) -> list[NDArray[Any]]:
        fields, whole = self.fields, self.fields.whole[slot]
        if not whole[rowloop.READY]:
            return [fields.early[slot, : int(whole[rowloop.HELD]) * self.channels]]
        size = int(whole[rowloop.FREE]) * self.channels * self.rules.lag
        return [fields.mean[slot], fields.scale[slot], fields.store[slot, :size]]

    def _track(self, slot: int) -> list[NDArray[Any]]:
        n = int(self.fields.whole[slot, rowloop.TRACK_N])
        return [self.fields.track_t[slot, :n], self.fields.track_x[slot, :n]]

    def _bins(self, slot: int) -> list[NDArray[Any]]:
        fields, n = self.fields, int(self.fields.whole[slot, rowloop.BINS])
        return [fields.bin_at[slot, :n], fields.bin_n[slot, :n], fields.bin_sum[slot, :n]]

    def _made(self, slots: int) -> Fields:
        rules, channels = self.rules, self.channels
        size = max((channels * rules.lag) ** 2, -(-rules.need * channels // 2))
        store = np.zeros((slots, size))
        return Fields(
            whole=np.zeros((slots, rowloop.WHOLE), np.int64),
            real=np.zeros((slots, rowloop.REAL)),
            mean=np.zeros((slots, channels)),
            scale=np.zeros((slots, channels)),
            store=store,
            early=store.view(np.float32),
            rows=np.zeros((slots, rules.window + rules.lag - 1, channels), np.float32),
            over=np.zeros((slots, rules.window), np.uint8),
            track_t=np.zeros((slots, rowloop.TRACK), np.int64),
            track_x=np.zeros((slots, rowloop.TRACK)),
            bin_at=np.zeros((slots, rowloop.POINTS + 1), np.int64),
            bin_n=np.zeros((slots, rowloop.POINTS + 1), np.int64),
            bin_sum=np.zeros((slots, rowloop.POINTS + 1, channels)),
        )

    def _grow(self) -> None:
        old = len(self.fields.whole)
        grown = self._made(max(_FIRST, 2 * old))
        for new, field in zip(grown, self.fields, strict=True):
            cast("NDArray[Any]", new)[:old] = field
        self.fields = grown
        self._free += range(len(grown.whole) - 1, old - 1, -1)


def _joined(parts: Sequence[NDArray[Any]]) -> bytes:
    return b"".join(part.tobytes() for part in parts)


def _split(data: bytes, parts: Sequence[NDArray[Any]]) -> None:
    """Fill arrays (contiguous views) with consecutive bytes."""
    at = 0
    for part in parts:
        part[...] = np.frombuffer(data, part.dtype, part.size, at).reshape(part.shape)
        at += part.nbytes
