"""Errors of running the product. Each says what is wrong and what to do about it."""

from __future__ import annotations

from telemetry.errors import WellkeptError


class StackError(WellkeptError):
    """A part that cannot be started, reached or trusted."""


class NotOursError(StackError):
    """Something answers on the port of an embedded server, and it is not the server that was started."""


class StartError(StackError):
    """A process that ended, or did not become ready in time.

    Attributes:
        part: its name, as in `wellkept status`.
        log: its last lines.
    """

    def __init__(self, part: str, detail: str, log: str = "") -> None:
        tail = f"\n{log}" if log else ""
        super().__init__(f"{part}: {detail}{tail}")
        self.part = part
        self.log = log
