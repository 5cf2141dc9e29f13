"""What the desk asks of storage for webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from servicedesk.hook_rows import Cause, Delivery, DeliveryState, Webhook


class Hooks(Protocol):
    """Endpoints, the line of deliveries of each, and the feed that fills it."""

    def add(self, hook: Webhook) -> None:
        """Enter an endpoint."""
        ...

    def get(self, hook: UUID) -> Webhook:
        """An endpoint, held for change. Raises UnknownError."""
        ...

    def read(self, hook: UUID) -> Webhook:
        """An endpoint as it stands, held by nobody. Raises UnknownError."""
        ...

    def listed(self, org: str | None) -> list[Webhook]:
        """Of an organisation, or of all, oldest first."""
        ...

    def save(self, hook: Webhook) -> Webhook:
        """Write a changed endpoint. Raises ConflictError."""
        ...

    def remove(self, hook: UUID) -> None:
        """Take an endpoint away, with its deliveries."""
        ...

    def feed(self) -> tuple[int, int]:
        """The newest and the last forgotten number; held: nothing is numbered until the transaction ends."""
        ...

    def number_at(self, at: datetime) -> int:
        """The last number that was given before a moment, or the last forgotten one."""
        ...

    def queue(self, hook: Webhook, after: int, upto: int, now: datetime, cause: Cause) -> int:
        """Enter deliveries of the changes behind a number that the endpoint wants. Returns how many."""
        ...

    def enter(self, delivery: Delivery) -> Delivery:
        """Put a delivery at the end of the endpoint's line. Returns it with its place."""
        ...

    def delivery(self, delivery: UUID) -> Delivery:
        """A delivery, held for change. Raises UnknownError."""
        ...

    def deliveries(
        self, hook: UUID, *, below: int | None = None, state: DeliveryState | None = None, limit: int = 50
    ) -> list[Delivery]:
        """Newest first, below a place."""
        ...

    def head(self, hook: UUID) -> Delivery | None:
        """The pending delivery whose turn it is."""
        ...

    def waiting(self, hook: UUID) -> int:
        """How many deliveries are pending."""
        ...

    def settle(self, delivery: Delivery, tries: int) -> bool:
        """Write how far a delivery got, if it is pending and was tried `tries` times so far. Returns whether it was."""
        ...

    def begin_round(self, hook: UUID, now: datetime) -> None:
        """Pending deliveries begin their schedule anew, and are due."""
        ...

    def wake(self, hook: UUID) -> None:
        """Leave the job that sends, with this transaction."""
        ...
