import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.block import BlockBuilder, Reject, decode_block, repack
from telemetry.control import ControlEntry, ControlKind
from telemetry.errors import WireError
from telemetry.identity import DeviceKey
from telemetry.message import decode_envelope, telemetry_message

KEY = DeviceKey("demo", "fridge-1")
CELLS = st.one_of(st.none(), st.floats(-1e6, 1e6, width=32))


@given(
    st.lists(
        st.tuples(
            st.integers(1, 9),
            st.lists(CELLS, min_size=1, max_size=5),
            st.sampled_from([None, "cooling", "rest"]),
            st.lists(st.sampled_from(["door", "E1"]), max_size=2),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_a_block_gives_back_what_was_put_in(
    rows: list[tuple[int, list[float | None], str | None, list[str], bool]],
) -> None:
    builder = BlockBuilder()
    sent = []
    for seq, (epoch, cells, phase, events, second) in enumerate(rows, 1):
        q = {"power": cells, "ambient": cells} if second else {"power": cells}
        envelope = telemetry_message(
            epoch=epoch, seq=seq, base=1, t_micros=seq * 10, dt_micros=5, q=q, phase=phase, events=events
        )
        sent.append(envelope)
        builder.add(DeviceKey("demo", f"d{epoch}"), envelope, 1_000 + seq)
    block = decode_block(builder.encode(7200.0))
    assert block.speed == 7200.0
    assert len(block.messages) == len(sent)
    for message, envelope in zip(block.messages, sent, strict=True):
        assert message.device == DeviceKey("demo", f"d{envelope.epoch}")
        assert (message.seq, message.phase, list(message.events)) == (envelope.seq, envelope.phase, envelope.events)
        assert message.arrival == 1_000 + envelope.seq
        for column, name in enumerate(message.channels):
            expected = np.array([np.nan if x is None else x for x in envelope.q[name]], dtype=np.float32)  # type: ignore[union-attr]
            np.testing.assert_array_equal(message.values[:, column], expected)
        if len(message.values) > 1:
            assert decode_envelope(repack(message)).seq == envelope.seq
            assert message.times().tolist() == [envelope.seq * 10 + 5 * i for i in range(len(message.values))]


def test_values_are_rounded_to_float32_and_too_large_ones_refused() -> None:
    builder = BlockBuilder()
    builder.add(KEY, telemetry_message(epoch=1, seq=1, base=1, t_micros=1, q={"power": 0.1}), 0)
    assert decode_block(builder.encode()).messages[0].values[0, 0] == np.float32(0.1)
    with pytest.raises(WireError, match="not_finite"):
        builder.add(KEY, telemetry_message(epoch=1, seq=2, base=1, t_micros=1, q={"power": 1e39}), 0)
    assert len(decode_block(builder.encode()).messages) == 1


def test_rejects_and_controls_travel_with_messages() -> None:
    builder = BlockBuilder()
    reject = Reject(topic="x/y", reason="topic", detail="no", raw=b"\x00\xff", arrival=5)
    entry = ControlEntry(id="1", device=KEY, kind=ControlKind.REPAIR_DONE, at=9, body={"family": "drum"})
    builder.reject(reject)
    builder.control(entry)
    block = decode_block(builder.encode())
    assert (block.rejects, block.controls, block.messages) == ([reject], [entry], [])


@given(st.binary(max_size=200))
def test_other_bytes_are_no_block(data: bytes) -> None:
    with pytest.raises(WireError, match="block"):
        decode_block(data)


def test_a_block_of_another_schema_is_refused_by_number() -> None:
    raw = msgspec.msgpack.decode(BlockBuilder().encode())
    raw["schema"] = 99
    with pytest.raises(WireError, match="schema 99"):
        decode_block(msgspec.msgpack.encode(raw))
