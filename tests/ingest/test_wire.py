"""Packets apart and together again, whatever the borders of the reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import MQTTv311
from paho.mqtt.packettypes import PacketTypes

from ingest.wire import Delivery, PacketError, puback_packets, publish_packet, sort_packets

PING, SUBACK = b"\xd0\x00", b"\x90\x03\x00\x01\x01"


def with_qos_1(topic: bytes, payload: bytes, mid: int) -> bytes:
    plain = publish_packet(topic.decode(), payload)
    body = len(topic).to_bytes(2, "big") + topic + mid.to_bytes(2, "big") + payload
    length, head = len(body), bytearray((0x32,))
    while True:
        length, low = divmod(length, 128)
        head.append(low | 0x80 if length else low)
        if not length:
            break
    assert plain.endswith(topic + payload)
    return bytes(head) + body


packet = st.one_of(
    st.tuples(
        st.sampled_from([b"wellkept/v1/a/b/telemetry", b"x"]), st.binary(max_size=20_000), st.integers(1, 65_535)
    ),
    st.sampled_from([PING, SUBACK]),
)


@given(st.lists(packet, max_size=12), st.integers(1, 5_000))
def test_messages_and_other_packets_come_out_whole_whatever_the_reads(sent: list[Delivery | bytes], step: int) -> None:
    data = b"".join(each if isinstance(each, bytes) else with_qos_1(*each) for each in sent)
    messages, others, rest = [], b"", b""
    for at in range(0, len(data), step):
        rest += data[at : at + step]
        found, control, used = sort_packets(rest)
        messages += found
        others += control
        rest = rest[used:]
    assert rest == b""
    assert messages == [each for each in sent if not isinstance(each, bytes)]
    assert others == b"".join(each for each in sent if isinstance(each, bytes))


def test_qos_0_has_no_packet_id_and_qos_2_is_left_to_paho() -> None:
    exactly_once = b"\x34\x05\x00\x01t\x00\x07"
    messages, others, used = sort_packets(publish_packet("t", b"payload") + exactly_once)
    assert messages == [(b"t", b"payload", 0)]
    assert others == exactly_once
    assert used == len(publish_packet("t", b"payload")) + len(exactly_once)


@pytest.mark.parametrize("data", [b"\x32\x03\x00\x09t", b"\x30\xff\xff\xff\xff\x01"])
def test_what_is_not_mqtt_is_said(data: bytes) -> None:
    with pytest.raises(PacketError):
        sort_packets(data)


def test_acknowledgements_are_those_of_the_standard() -> None:
    assert MQTTv311 == 4
    first = PacketTypes.PUBACK << 4
    assert puback_packets([1, 0x1234]) == bytes((first, 2, 0, 1, first, 2, 0x12, 0x34))


def test_a_topic_that_mqtt_cannot_carry_is_refused() -> None:
    with pytest.raises(PacketError):
        publish_packet("", b"")
    with pytest.raises(PacketError):
        publish_packet("x" * 65_536, b"")
