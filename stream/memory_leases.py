"""Membership and leases in memory: the same promises as the key-value bucket's."""

from __future__ import annotations

from collections.abc import Sequence

from stream.port import Record, StreamError, Write


class MemoryLeases:
    """The bucket; every client holds the same object.

    Attributes:
        up: whether the server answers.
    """

    def __init__(self) -> None:
        self.up = True
        self._records: dict[str, Record] = {}
        self._revision = 0

    def read_records(self) -> dict[str, Record]:
        """See `LeaseStore.read_records`."""
        self._check()
        return dict(self._records)

    def write_records(self, writes: Sequence[Write]) -> list[int | None]:
        """See `LeaseStore.write_records`."""
        self._check()
        return [self._write(write) for write in writes]

    def recreate(self) -> None:
        """Lose everything, as when the server's store was deleted."""
        self._records.clear()
        self._revision = 0

    def _write(self, write: Write) -> int | None:
        known = self._records.get(write.key)
        if write.revision != (0 if known is None else known.revision):
            return None
        self._revision += 1
        self._records[write.key] = Record(self._revision, write.value)
        return self._revision

    def _check(self) -> None:
        if not self.up:
            raise StreamError("the stream's server does not answer")
