"""What the truth loop needs of the outside: verdicts, suggestions, and who is still to be taught."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from servicedesk.trust import Key, Tally, Verdict


class TruthBook(Protocol):
    """Verdicts of outcomes, and findings that were only suggested."""

    def note(self, verdict: Verdict) -> None:
        """Enter a verdict; a later one of the same ticket replaces it."""
        ...

    def of_ticket(self, ticket: UUID) -> Verdict | None:
        """The verdict of a ticket, or None."""
        ...

    def tally(self, key: Key, window: int) -> Tally:
        """The last `window` verdicts on findings of a key, and the faults missed since the first of them."""
        ...

    def causes(self, key: Key) -> Mapping[str, int]:
        """How often each cause was confirmed, whatever had been told; missed ones included."""
        ...

    def suggest(self, finding: UUID, device: int, family: str, at: datetime) -> None:
        """Note that a finding opened no ticket because its detector only suggests; once a finding."""
        ...

    def suggested(self, device: int, family: str, since: datetime) -> UUID | None:
        """The newest finding of a device and family that was suggested since then."""
        ...

    def untaught(self, key: Key, body: Mapping[str, Any], *, anew: bool) -> list[int]:
        """Devices of the key's organisation, kind and model whose last lesson on its family was another one.

        Args:
            key: see there.
            body: the lesson.
            anew: with those that never had one.
        """
        ...
