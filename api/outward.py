"""Addresses outside, judged before anything is ever sent there; the name service is given little time."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError

from api.context import Context
from servicedesk.hook_address import judge, read_allowed, read_target

_PATIENCE_S = 3.0
_ASKING = ThreadPoolExecutor(4, thread_name_prefix="names")


def check_address(context: Context, url: str) -> None:
    """Pass when webhooks may be sent to an address. It is judged again at every connection.

    Raises:
        AddressError: it is not public, not over TLS, or not known.
    """
    judge(read_target(url), _resolve, read_allowed(context.settings.webhook_allow))


def _resolve(host: str, port: int) -> Sequence[str]:
    asked = _ASKING.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        return [str(each[4][0]) for each in asked.result(_PATIENCE_S)]
    except LateError as cause:
        raise OSError(f"the name service says nothing of {host}") from cause
