"""Webhooks in memory: the same promises as PostgreSQL's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from servicedesk.errors import ConflictError, UnknownError
from servicedesk.hook_rows import Cause, Change, Delivery, DeliveryState, HookState, Webhook


class MemoryHooks:
    """Implements `servicedesk.ports_hooks.Hooks`, with a feed of its own.

    Attributes:
        changes: of the feed, each with the area of its household.
        forgotten: the last number that is no longer in it.
        woken: endpoints for which the job was left.
    """

    def __init__(self) -> None:
        self.rows: dict[UUID, Webhook] = {}
        self.lines: list[Delivery] = []
        self.changes: list[tuple[Change, str | None]] = []
        self.forgotten = 0
        self.woken: list[UUID] = []

    def tell(self, change: Change, area: str | None = None) -> None:
        """A change gets its number, and stands in the line of every endpoint that wants it."""
        self.changes.append((change, area))
        for hook in list(self.rows.values()):
            if hook.state is HookState.ENABLED and self.queue(hook, change.no - 1, change.no, change.at, Cause.CHANGE):
                self.wake(hook.id)

    def add(self, hook: Webhook) -> None:
        """See `servicedesk.ports_hooks.Hooks`, here and below."""
        self.rows[hook.id] = hook

    def get(self, hook: UUID) -> Webhook:
        """The endpoint."""
        return self.read(hook)

    def read(self, hook: UUID) -> Webhook:
        """The endpoint."""
        if hook not in self.rows:
            raise UnknownError(f"there is no webhook {hook}")
        return self.rows[hook]

    def listed(self, org: str | None) -> list[Webhook]:
        """Oldest first."""
        found = [each for each in self.rows.values() if org in (None, each.org)]
        return sorted(found, key=lambda each: (each.made, each.id))

    def save(self, hook: Webhook) -> Webhook:
        """Write, version by version."""
        if self.read(hook.id).version != hook.version:
            raise ConflictError(f"webhook {hook.id} was changed by someone else; read it again")
        self.rows[hook.id] = replace(hook, version=hook.version + 1)
        return self.rows[hook.id]

    def remove(self, hook: UUID) -> None:
        """With its line."""
        self.rows.pop(hook, None)
        self.lines = [each for each in self.lines if each.webhook != hook]

    def feed(self) -> tuple[int, int]:
        """Newest and forgotten."""
        return max((each.no for each, _ in self.changes), default=self.forgotten), self.forgotten

    def number_at(self, at: datetime) -> int:
        """The last number before a moment."""
        return max((each.no for each, _ in self._kept() if each.at < at), default=self.forgotten)

    def queue(self, hook: Webhook, after: int, upto: int, now: datetime, cause: Cause) -> int:
        """Enter what it wants."""
        wanted = [
            each
            for each, area in self._kept()
            if after < each.no <= upto
            and each.org == hook.org
            and (not hook.types or each.kind in hook.types)
            and (not hook.areas or area in hook.areas)
        ]
        for each in wanted:
            new = uuid5(hook.id, f"{len(self.lines)}:{each.no}")
            self.enter(Delivery(id=new, webhook=hook.id, cause=cause, event=each, made=now, due=now))
        return len(wanted)

    def enter(self, delivery: Delivery) -> Delivery:
        """At the end of the line."""
        placed = replace(delivery, place=max((each.place for each in self.lines), default=0) + 1)
        self.lines.append(placed)
        return placed

    def delivery(self, delivery: UUID) -> Delivery:
        """The delivery."""
        found = next((each for each in self.lines if each.id == delivery), None)
        if found is None:
            raise UnknownError(f"there is no delivery {delivery}")
        return found

    def deliveries(
        self, hook: UUID, *, below: int | None = None, state: DeliveryState | None = None, limit: int = 50
    ) -> list[Delivery]:
        """Newest first."""
        found = [
            each
            for each in reversed(self.lines)
            if each.webhook == hook and (below is None or each.place < below) and state in (None, each.state)
        ]
        return found[:limit]

    def head(self, hook: UUID) -> Delivery | None:
        """Whose turn it is."""
        return next(self._pending(hook), None)

    def waiting(self, hook: UUID) -> int:
        """How many wait."""
        return sum(1 for _ in self._pending(hook))

    def settle(self, delivery: Delivery, tries: int) -> bool:
        """Write how far it got."""
        at = next((i for i, each in enumerate(self.lines) if each.id == delivery.id), None)
        if at is None or self.lines[at].tries != tries or self.lines[at].state is not DeliveryState.PENDING:
            return False
        self.lines[at] = delivery
        return True

    def begin_round(self, hook: UUID, now: datetime) -> None:
        """Anew."""
        self.lines = [
            replace(each, round=0, due=now) if each.webhook == hook and each.state is DeliveryState.PENDING else each
            for each in self.lines
        ]

    def wake(self, hook: UUID) -> None:
        """Remember it."""
        self.woken.append(hook)

    def _kept(self) -> Iterator[tuple[Change, str | None]]:
        return (each for each in self.changes if each[0].no > self.forgotten)

    def _pending(self, hook: UUID) -> Iterator[Delivery]:
        return (each for each in self.lines if each.webhook == hook and each.state is DeliveryState.PENDING)
