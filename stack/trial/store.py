"""The telemetry tables of a trial: the memory form, with a retention that keeps a year within bounds."""

from __future__ import annotations

from storage.memory_telemetry import MemoryTelemetry
from storage.telemetry_rows import DeadLetter
from telemetry.finding import EpisodeState


class TrialTelemetry(MemoryTelemetry):
    """Forgets what no detector can ask for again; whoever commits counts before."""

    def forget(self) -> None:
        """Keep what lies behind the last snapshot of each device, and what still waits for a gap to close.

        Detectors are rebuilt from the snapshot on, gaps are read back from what was not observed yet.
        """
        snapshots = self.snapshots
        self.messages = {
            place: message
            for place, message in self.messages.items()
            if message.late
            or place[0] not in snapshots
            or (place[1], place[2]) > (snapshots[place[0]].epoch, snapshots[place[0]].seq)
        }
        newest: dict[str, int] = {}
        for name, revision in self.revisions:
            newest[name] = max(newest.get(name, 0), revision)
        self.revisions = {
            (name, revision): reported
            for (name, revision), reported in self.revisions.items()
            if newest[name] == revision and reported.finding.state is EpisodeState.OPEN
        }
        self.errors.clear()
        self.dead = {place: letter for place, letter in self.dead.items() if self._was_lost(letter)}

    def _was_lost(self, letter: DeadLetter) -> bool:
        """Whether it came after it had been declared lost: a repeat of it must be known as one."""
        row = None if letter.device is None else self.devices.get(letter.device)
        if row is None or letter.epoch is None or letter.seq is None:
            return False
        ranges = self.lost.get(row.no, {}).get(letter.epoch, [])
        return any(low <= letter.seq <= high for low, high in ranges)
