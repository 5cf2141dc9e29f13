import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.errors import WireError
from telemetry.message import (
    MAX_MESSAGE_BYTES,
    Envelope,
    decode_envelope,
    encode_envelope,
    read_identity,
    readings_of,
    telemetry_message,
)

GOOD = {"v": 1, "epoch": 3, "seq": 7, "base": 1, "t": 1.5, "q": {"power": 2.0}}
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(
    seq=st.integers(1, 2**60),
    t=st.integers(0, 4_000_000_000_000_000),
    rows=st.lists(st.one_of(st.none(), FLOATS), min_size=1, max_size=30),
    packed=st.booleans(),
)
def test_what_is_encoded_is_decoded(*, seq: int, t: int, rows: list[float | None], packed: bool) -> None:
    sent = telemetry_message(epoch=1, seq=seq, base=1, t_micros=t, dt_micros=60_000_000, q={"power": rows}, phase="on")
    assert decode_envelope(encode_envelope(sent, packed=packed)) == sent
    assert readings_of(sent) == len(rows)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"v": 2}, "version"),
        ({"seq": 0}, "sequence"),
        ({"base": 8}, "sequence"),
        ({"epoch": -1}, "sequence"),
        ({"t": 1e300}, "time"),
        ({"t": -1}, "time"),
        ({"q": {"power": [1.0, 2.0]}}, "shape"),
        ({"q": {"power": [1.0], "other": [1.0, 2.0]}, "dt": 1}, "shape"),
        ({"q": {"power": [1.0], "other": 2.0}, "dt": 1}, "shape"),
        ({"q": {"power": []}, "dt": 1}, "shape"),
        ({"q": {"power": [1.0, 2.0]}, "dt": 0}, "shape"),
        ({"q": {"power": "high"}}, "malformed"),
        ({"seq": None}, "malformed"),
        ({"phase": "a\x00b"}, "word"),
        ({"fw": ""}, "word"),
        ({"events": ["x" * 65]}, "word"),
        ({"q": {"a\nb": 1.0}}, "word"),
    ],
)
def test_bad_envelopes_are_refused_with_their_reason(change: dict[str, object], reason: str) -> None:
    with pytest.raises(WireError) as caught:
        decode_envelope(json.dumps(GOOD | change).encode())
    assert caught.value.reason == reason


@given(st.binary(max_size=400))
def test_arbitrary_bytes_never_escape_as_another_error(payload: bytes) -> None:
    read_identity(payload)
    try:
        assert isinstance(decode_envelope(payload), Envelope)
    except WireError as error:
        assert error.reason  # noqa: PT017  (both outcomes are right)


def test_oversized_and_identity() -> None:
    huge = json.dumps(GOOD | {"phase": "x" * MAX_MESSAGE_BYTES}).encode()
    with pytest.raises(WireError, match="oversized"):
        decode_envelope(huge)
    assert read_identity(huge) == (3, 7, 1)
    assert read_identity(b'{"epoch": 3, "seq": 7, "q": "nonsense"}') == (3, 7, 0)
    assert read_identity(b"\xff\x00") is None
