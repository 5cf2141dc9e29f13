"""The usual message read quickly: one reading of numbers, of a form that was seen and checked before.

Most messages of a fleet are alike but for their numbers. What was checked once for all of a form (names, words) is not
checked again; whatever is out of the ordinary is left to `decode_envelope`, which gives the reason.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from operator import itemgetter
from typing import NamedTuple

import msgspec

from telemetry.message import (
    MAX_CHANNELS,
    MAX_MESSAGE_BYTES,
    MAX_SEQ,
    TIME_LIMIT,
    WIRE_VERSION,
    Envelope,
    decode_unchecked,
    is_word,
)

_FORMS = 4_096
_WORDS = 16_384


class Plain(NamedTuple):
    """A checked message and its values as a block holds them.

    Attributes:
        envelope: as decoded.
        channels: sorted.
        values: float32 little-endian, one of each channel.
    """

    envelope: Envelope
    channels: tuple[str, ...]
    values: bytes


class _Form(NamedTuple):
    channels: tuple[str, ...]
    order: Callable[[dict[str, object]], tuple[object, ...]] | None
    pack: Callable[..., bytes]


class PlainDecoder:
    """Reads plain messages. It remembers forms and words, a bounded number of each."""

    def __init__(self) -> None:
        self._forms: dict[tuple[str, ...], _Form] = {}
        self._words: set[str | None] = {None}

    def decode(self, payload: bytes) -> Plain | None:
        """The message, or None when it is not a plain one; it may still be a good one."""
        if len(payload) > MAX_MESSAGE_BYTES:
            return None
        try:
            message = decode_unchecked(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        q = message.q
        form = self._forms.get(tuple(q)) or self._learn(q)
        if form is None:
            return None
        numbers = q.values() if form.order is None else form.order(q)  # type: ignore[arg-type]
        try:
            values = form.pack(*numbers)
            # Infinities and NaN survive a sum; a sum that overflows is judged by the other path.
            finite = math.isfinite(sum(numbers))  # type: ignore[arg-type]
        except (struct.error, OverflowError, TypeError):
            return None
        if (
            finite
            and message.v == WIRE_VERSION
            and 0 <= message.epoch < MAX_SEQ
            and 1 <= message.seq < MAX_SEQ
            and 0 <= message.base <= message.seq
            and 0 <= message.t < TIME_LIMIT
            and message.dt is None
            and message.device is None
            and not message.events
            and (message.phase in self._words or self._knows(message.phase))
            and (message.fw in self._words or self._knows(message.fw))
        ):
            return Plain(message, form.channels, values)
        return None

    def _learn(self, q: dict[str, float | list[float | None] | None]) -> _Form | None:
        if not 0 < len(q) <= MAX_CHANNELS or not all(is_word(name) for name in q):
            return None
        names, channels = tuple(q), tuple(sorted(q))
        order = None if names == channels else itemgetter(*channels)
        form = _Form(channels, order, struct.Struct(f"<{len(channels)}f").pack)
        if len(self._forms) < _FORMS:
            self._forms[names] = form
        return form

    def _knows(self, word: str | None) -> bool:
        good = word is None or is_word(word)
        if good and len(self._words) < _WORDS:
            self._words.add(word)
        return good
