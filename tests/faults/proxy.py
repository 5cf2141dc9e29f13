"""A TCP proxy in front of PostgreSQL that cuts or holds a connection at an exact place of its conversation.

It reads just enough of the protocol to know a COMMIT and the data of a COPY when the client sends them; bytes pass
unchanged. Only sessions of one application are struck.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from urllib.parse import urlsplit, urlunsplit

_CHUNK = 256 * 1024
_PATIENCE = 60.0
_COPY_DATA = b"d"


class Strike(StrEnum):
    """What happens at the next COMMIT, or COPY."""

    BEFORE_COMMIT = "before"
    """Cut; the server never sees it."""
    DURING_COMMIT = "during"
    """Pass it on and cut at once, whatever the server makes of it."""
    AFTER_COMMIT = "after"
    """Pass it on, wait for the server's answer, and cut instead of bringing it."""
    HOLD_COPY = "hold copy"
    """Keep the data of a COPY until `release`."""
    HOLD_COMMIT = "hold commit"
    """Keep the COMMIT until `release`."""


class Proxy:
    """Listens on a port of the loopback.

    Args:
        application: `application_name` of the sessions that are struck.

    Attributes:
        port: listens here.
        struck: how often since it was armed.
        held_client: port at the client's end of the session that is held.
        held_port: the proxy's own, as the server sees it.
    """

    def __init__(self, application: str) -> None:
        self._application = application.encode()
        self._target = ("127.0.0.1", 0)
        self._lock = threading.Lock()
        self._strike: Strike | None = None
        self._left = 0
        self._released = threading.Event()
        self._holding = threading.Event()
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.struck = 0
        self.held_client = self.held_port = 0
        threading.Thread(target=self._listen, name="proxy", daemon=True).start()

    def in_front_of(self, url: str) -> str:
        """Stand before the server of a URL. Returns the URL that leads through here."""
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 5432)
        user, _, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{self.port}"))

    def arm(self, strike: Strike, times: int = 1) -> None:
        """Strike at the next such moment, so many times."""
        with self._lock:
            self._strike, self._left, self.struck = strike, times, 0
            self._released.clear()
            self._holding.clear()

    @contextmanager
    def held(self, strike: Strike) -> Iterator[threading.Event]:
        """Hold the next COPY or COMMIT until `release`, or the body's end; the event says that it is held."""
        self.arm(strike)
        try:
            yield self._holding
        finally:
            self.release()

    def release(self) -> None:
        """Let go what is held."""
        with self._lock:
            self._strike = None
        self._released.set()

    def close(self) -> None:
        """Listen no more."""
        self._closed.set()
        self._released.set()
        self._listener.close()

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target, timeout=5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _Session(self, client, server).run()

    def take(self, message: bytes) -> Strike | None:
        """The strike that falls at this frontend message, if any."""
        with self._lock:
            strike = self._strike
            if strike is None or self._left <= 0:
                return None
            wanted = message[:1] == _COPY_DATA if strike is Strike.HOLD_COPY else is_commit(message)
            if not wanted:
                return None
            self._left -= 1
            self.struck += 1
            return strike

    def concerns(self, startup: bytes) -> bool:
        """Whether the session that begins so is to be struck."""
        return b"application_name\0" + self._application + b"\0" in startup

    def hold(self, client: socket.socket, server: socket.socket) -> None:
        """Wait for the release; the ports of the held session say whose it is."""
        self.held_client, self.held_port = int(client.getpeername()[1]), int(server.getsockname()[1])
        self._holding.set()
        self._released.wait(_PATIENCE)


class _Session:
    """One client's connection and the server's."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._answered = threading.Event()
        self._mute = threading.Event()

    def run(self) -> None:
        threading.Thread(target=self._back, daemon=True).start()
        try:
            self._forth()
        except OSError:
            pass
        finally:
            self._cut()

    def _forth(self) -> None:
        buffer = b""
        concerned: bool | None = None
        while data := self._client.recv(_CHUNK):
            if concerned is None:
                buffer += data
                if len(buffer) < 4 or len(buffer) < struct.unpack("!I", buffer[:4])[0]:
                    continue
                concerned, data, buffer = self._proxy.concerns(buffer), buffer, b""
                self._server.sendall(data)
                continue
            if not concerned:
                self._server.sendall(data)
                continue
            buffer += data
            whole, buffer = split(buffer)
            for message in whole:
                if not self._pass(message):
                    return

    def _pass(self, message: bytes) -> bool:
        """Send a message on. Returns whether the connection lives."""
        strike = self._proxy.take(message)
        if strike is Strike.BEFORE_COMMIT:
            return False
        if strike in (Strike.HOLD_COPY, Strike.HOLD_COMMIT):
            self._proxy.hold(self._client, self._server)
        if strike is Strike.AFTER_COMMIT:
            self._mute.set()
        self._server.sendall(message)
        if strike is Strike.AFTER_COMMIT:
            self._answered.wait(_PATIENCE)
        return strike not in (Strike.DURING_COMMIT, Strike.AFTER_COMMIT)

    def _back(self) -> None:
        try:
            while data := self._server.recv(_CHUNK):
                if self._mute.is_set():
                    self._answered.set()
                else:
                    self._client.sendall(data)
        except OSError:
            pass
        finally:
            self._answered.set()
            self._cut()

    def _cut(self) -> None:
        for one in (self._client, self._server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def split(buffer: bytes) -> tuple[list[bytes], bytes]:
    """Whole frontend messages (type, length word, body) and what is left of the next."""
    whole: list[bytes] = []
    at = 0
    while len(buffer) - at >= 5:
        end = at + 1 + int.from_bytes(buffer[at + 1 : at + 5], "big")
        if end > len(buffer):
            break
        whole.append(buffer[at:end])
        at = end
    return whole, buffer[at:]


def is_commit(message: bytes) -> bool:
    """Whether a frontend message is a COMMIT, as a simple query or parsed first."""
    return message[:1] in (b"Q", b"P") and b"COMMIT\0" in message[5:].upper()
