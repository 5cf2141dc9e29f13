"""Methods of notices. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from uuid import UUID

from client.core import Caller, Page
from client.types.notices import NoticeOut


class NoticesRoutes(Caller):
    """Methods of notices."""

    def notices(
        self, *, household: UUID | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Page[NoticeOut]:
        """Messages to households, newest first."""
        return self.call(
            "GET", "/v1/notices", Page[NoticeOut], query={"household": household, "cursor": cursor, "limit": limit}
        )
