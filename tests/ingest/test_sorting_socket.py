"""What paho sees of a connection, and what goes past it."""

from __future__ import annotations

import pytest

from ingest.sorting_socket import SortingSocket
from ingest.wire import Delivery, publish_packet

CONNACK = b"\x20\x02\x00\x00"
PING = b"\xd0\x00"


class Line:
    """A connection in memory: reads as they come, writes as far as there is room."""

    def __init__(self, *reads: bytes | type[BlockingIOError], room: int = 1_000_000) -> None:
        self.reads = list(reads)
        self.sent = b""
        self.room = room
        self.gone = False

    def recv(self, _size: int, /) -> bytes:
        if not self.reads:
            raise BlockingIOError
        data = self.reads.pop(0)
        if isinstance(data, bytes):
            return data
        raise data

    def send(self, data: bytes | bytearray | memoryview, /) -> int:
        if self.gone:
            raise ConnectionResetError
        taken = bytes(data[: self.room])
        if not taken:
            raise BlockingIOError
        self.room -= len(taken)
        self.sent += taken
        return len(taken)

    def fileno(self) -> int:
        return 7

    def setblocking(self, flag: bool, /) -> None:  # noqa: FBT001  (the signature of sockets)
        pass

    def close(self) -> None:
        self.gone = True


class Sight:
    """The socket as paho drives it."""

    def __init__(self, line: Line) -> None:
        self.messages: list[Delivery] = []
        self.order: list[str] = []
        self.pauses: list[float] = []
        self.now = 0.0
        self.socket = SortingSocket(line, self.take, self.pauses.append, lambda: self.now)

    def take(self, messages: list[Delivery]) -> None:
        self.messages += messages
        self.order.append(f"{len(messages)} messages")

    def read(self, size: int) -> bytes:
        data = self.socket.recv(size)
        self.order.append(data.hex())
        return data


def test_messages_go_past_paho_and_the_rest_comes_in_the_pieces_it_asks_for() -> None:
    line = Line(publish_packet("t", b"1") + PING + publish_packet("t", b"2"))
    sight = Sight(line)
    assert sight.read(1) == b"\xd0"
    assert sight.socket.pending() == 1
    assert sight.read(1) == b"\x00"
    assert sight.socket.pending() == 2
    with pytest.raises(BlockingIOError):
        sight.read(1)
    assert [payload for _, payload, _ in sight.messages] == [b"1", b"2"]
    assert sight.socket.pending() == 0


def test_messages_behind_the_connack_wait_until_paho_has_taken_it() -> None:
    sight = Sight(Line(CONNACK + publish_packet("t", b"1")))
    sight.read(1)
    sight.read(3)
    with pytest.raises(BlockingIOError):
        sight.read(1)
    assert sight.order == ["20", "020000", "1 messages"]


def test_the_end_of_the_connection_and_nonsense_are_said_as_sockets_say_them() -> None:
    assert Sight(Line(b"")).read(1) == b""
    with pytest.raises(ConnectionError):
        Sight(Line(b"\x30\xff\xff\xff\xff\x01")).read(1)


def test_a_busy_connection_is_read_in_larger_pieces_and_a_quiet_one_at_once() -> None:
    many = publish_packet("t", b"1") * 20
    sight = Sight(Line(many, publish_packet("t", b"1"), publish_packet("t", b"1")))
    for _ in range(3):
        with pytest.raises(BlockingIOError):
            sight.read(1)
    assert sight.pauses == [pytest.approx(0.01)]


def test_what_the_network_does_not_take_goes_first_the_next_time() -> None:
    line = Line(room=3)
    sight = Sight(line)
    sight.socket.write(b"12345")
    assert sight.socket.send(b"67") == 2
    assert line.sent == b"123"
    line.room = 100
    sight.socket.flush()
    assert line.sent == b"1234567"


def test_on_a_lost_connection_paho_hears_of_it_and_bulk_writes_end_silently() -> None:
    line = Line()
    sight = Sight(line)
    sight.socket.close()
    sight.socket.write(b"12")
    with pytest.raises(ConnectionResetError):
        sight.socket.send(b"12")


def test_receipts_are_left_out_when_nobody_takes_them() -> None:
    line = Line(room=0)
    sight = Sight(line)
    sight.socket.write(bytes(17 * 1024 * 1024))
    sight.socket.write(b"receipt", may_drop=True)
    line.room = 100 * 1024 * 1024
    sight.socket.flush()
    assert len(line.sent) == 17 * 1024 * 1024
