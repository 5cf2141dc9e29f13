"""Methods of parts. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from client.core import Caller
from client.types.parts import OrderIn, OrderOut


class PartsRoutes(Caller):
    """Methods of parts."""

    def make_order(self, body: OrderIn, *, key: str | None = None) -> OrderOut:
        """Order pieces of a part; visits are planned for when they are here."""
        return self.call("POST", "/v1/parts/orders", OrderOut, body=body, key=key)
