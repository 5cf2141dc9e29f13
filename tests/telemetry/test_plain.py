"""The quick way of the usual message says what the careful way says, or nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.block import BlockBuilder, decode_block
from telemetry.errors import WireError
from telemetry.identity import DeviceKey
from telemetry.message import decode_envelope
from telemetry.plain import PlainDecoder

KEY = DeviceKey("demo", "a")
GOOD: dict[str, Any] = {"v": 1, "epoch": 1, "seq": 3, "base": 1, "t": 1.25, "phase": "on", "q": {"b": 1.5, "a": -2}}

numbers = st.one_of(st.floats(width=64), st.integers(-(2**40), 2**40), st.none(), st.lists(st.floats(), max_size=3))
words = st.one_of(st.none(), st.text(max_size=70))
envelopes = st.fixed_dictionaries(
    {
        "v": st.integers(0, 2),
        "epoch": st.integers(-1, 2**62),
        "seq": st.integers(-1, 2**62),
        "base": st.integers(-1, 5),
        "t": st.floats(),
        "q": st.dictionaries(st.text(max_size=66), numbers, max_size=5),
    },
    optional={
        "phase": words,
        "fw": words,
        "dt": st.floats(),
        "device": st.sampled_from(["a", "b"]),
        "events": st.lists(st.text(max_size=4), max_size=2),
    },
)


def carefully(payload: bytes) -> bytes | None:
    """The block of the message alone, or None when it is unfit."""
    builder = BlockBuilder()
    try:
        builder.add(KEY, decode_envelope(payload), 7)
    except WireError:
        return None
    return builder.encode()


@given(st.one_of(envelopes, st.just(GOOD)))
def test_what_is_read_quickly_is_what_is_read_carefully(message: dict[str, Any]) -> None:
    decoder = PlainDecoder()
    payload = msgspec.msgpack.encode(message)
    for _ in range(2):  # the form is new, then known
        read = decoder.decode(payload)
        if read is not None:
            builder = BlockBuilder()
            builder.append(KEY, *read, 7)
            assert builder.encode() == carefully(payload)


@pytest.mark.parametrize("encode", [msgspec.msgpack.encode, lambda m: json.dumps(m).encode()])
def test_the_usual_message_is_read_quickly_its_channels_in_order(encode: Callable[[Any], bytes]) -> None:
    read = PlainDecoder().decode(encode(GOOD))
    assert read is not None
    builder = BlockBuilder()
    builder.append(KEY, *read, 7)
    (message,) = decode_block(builder.encode()).messages
    assert (message.channels, message.phase, message.fw, message.t) == (("a", "b"), "on", None, 1_250_000)
    assert message.values.tolist() == [[-2.0, 1.5]]


@pytest.mark.parametrize(
    "change",
    [
        {"q": {"a": [1.0]}, "dt": 1.0},
        {"q": {"a": None}},
        {"q": {}},
        {"q": {"a": 1e39}},
        {"q": {"a": math.nan}},
        {"q": {"a": math.inf, "b": -math.inf}},
        {"q": {"a\n": 1.0}},
        {"events": ["x"]},
        {"device": "a"},
        {"fw": "x" * 65},
        {"seq": 0},
        {"t": -1.0},
        {"t": math.nan},
        {"v": 2},
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_the_careful_way(change: dict[str, Any]) -> None:
    decoder = PlainDecoder()
    assert decoder.decode(msgspec.msgpack.encode(GOOD)) is not None
    assert decoder.decode(msgspec.msgpack.encode(GOOD | change)) is None


def test_values_are_rounded_as_arrays_are() -> None:
    values = [0.1, 16_777_217.0, 1e-46, -0.0, 3.4e38]
    read = PlainDecoder().decode(msgspec.msgpack.encode(GOOD | {"q": {f"c{i}": x for i, x in enumerate(values)}}))
    assert read is not None
    assert np.frombuffer(read.values, "<f4").tobytes() == np.array(values, dtype="<f4").tobytes()
