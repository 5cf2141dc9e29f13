"""Sends one signed message: resolved once, judged, connected to that very address, and answered in time or not at all.

No redirect is followed and no proxy of the environment is asked: either would lead past the judged address. The whole
exchange has one deadline, so that an endpoint that answers a byte at a time holds nobody.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from standardwebhooks import Webhook as Signer

from servicedesk.cloud_events import MEDIA_TYPE, encode, message_id
from servicedesk.errors import DeskError
from servicedesk.hook_address import Network, Resolve, Target, judge, read_target
from servicedesk.hook_rows import Answer, Delivery, Webhook
from servicedesk.hook_tries import TIMEOUT

_EXCERPT = 1_000
_AGENT = "Wellkept-Webhooks/1"
_LONGEST_WAIT = 86_400


def resolve(host: str, port: int) -> Sequence[str]:
    """What the name service says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


def signed(hook: Webhook, delivery: Delivery, now: datetime) -> tuple[bytes, dict[str, str]]:
    """The body of a delivery, and the headers that Standard Webhooks asks for: every secret in force signs.

    Args:
        hook: whose secrets.
        delivery: what is told.
        now: wall time, of this try.
    """
    body, told = encode(delivery.event), message_id(delivery.event)
    signatures = [Signer(secret).sign(told, now, body.decode()) for secret in hook.secrets_at(now)]
    return body, {
        "Content-Type": MEDIA_TYPE,
        "User-Agent": _AGENT,
        "webhook-id": told,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


@dataclass
class Poster:
    """Sends messages.

    Attributes:
        allowed: networks that are trusted though not public.
        resolve: asks the name service.
        timeout: of the whole exchange.
        tls: certificates that are trusted.
    """

    allowed: Sequence[Network] = ()
    resolve: Resolve = resolve
    timeout: float = TIMEOUT.total_seconds()
    tls: Callable[[], ssl.SSLContext] = field(default=ssl.create_default_context)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send; whatever goes wrong is the answer's `why`."""
        began = time.monotonic()

        def took() -> int:
            return round((time.monotonic() - began) * 1000)

        try:
            target = read_target(url)
            addresses = judge(target, self.resolve, self.allowed)
            status, text, later = self._exchange(target, addresses, body, headers)
        except DeskError as refusal:
            return Answer(status=None, took_ms=took(), why=str(refusal))
        except (OSError, http.client.HTTPException) as cause:
            late = took() >= self.timeout * 1000
            why = f"no answer within {self.timeout:g} s" if late else _plain(cause)
            return Answer(status=None, took_ms=took(), why=why)
        return Answer(status=status, took_ms=took(), body=text, later=later)

    def _exchange(
        self, target: Target, addresses: Sequence[str], body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, str, timedelta | None]:
        deadline = time.monotonic() + self.timeout
        raw = self._connect(addresses, target.port, deadline)
        connection = http.client.HTTPConnection(target.host, target.port, timeout=self.timeout)
        guard = threading.Timer(max(0.0, deadline - time.monotonic()), partial(_cut, raw))
        guard.daemon = True
        guard.start()
        try:
            connection.sock = self.tls().wrap_socket(raw, server_hostname=target.host) if target.tls else raw
            connection.putrequest("POST", target.path, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Host": target.authority, "Content-Length": str(len(body)), **headers}.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            text = b""
            with contextlib.suppress(OSError, http.client.HTTPException):  # the status says it all
                text = answer.read(_EXCERPT)
            excerpt = text.decode("utf-8", "replace").replace("\0", "�")
            return answer.status, excerpt, _later(answer.headers.get("Retry-After"))
        finally:
            guard.cancel()
            connection.close()
            raw.close()

    def _connect(self, addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
        """To the first that takes us; the library would resolve the name once more, and get other ones."""
        for address in addresses[:-1]:
            with contextlib.suppress(OSError):
                return socket.create_connection((address, port), self.timeout / len(addresses))
        return socket.create_connection((addresses[-1], port), max(0.01, deadline - time.monotonic()))


def _cut(raw: socket.socket) -> None:
    """End whatever waits for the other side."""
    with contextlib.suppress(OSError):
        raw.shutdown(socket.SHUT_RDWR)


def _later(header: str | None) -> timedelta | None:
    """Seconds; the date form, which hardly anybody sends, is passed over."""
    if header is None or not header.isascii() or not header.isdigit():
        return None
    return timedelta(seconds=min(int(header[:9]), _LONGEST_WAIT))


def _plain(cause: Exception) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"no TLS: {cause.reason}"
    if isinstance(cause, ConnectionRefusedError):
        return "it refuses the connection"
    return f"{type(cause).__name__}: {cause}"[:300]
