"""Methods of clock. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from client.core import Caller
from client.types.clock import ClockOut


class ClockRoutes(Caller):
    """Methods of clock."""

    def clock(self) -> ClockOut:
        """The fleet clock."""
        return self.call("GET", "/v1/clock", ClockOut)
