"""The stream's server in the world: the memory form behind a network that loses questions and answers."""

from __future__ import annotations

from collections.abc import Callable

from stack.world.invariants import Auditor
from stack.world.network import Network
from stack.world.scheduler import Party, Scheduler
from stream.memory import MemoryServer
from stream.memory_leases import MemoryLeases
from stream.port import StreamError

Answer = Callable[[int, Exception | None], None]
"""Called with the number of the question, and the error if there was one."""


class StreamNode(Party):
    """The server; its blocks are on disk and outlive a kill.

    Args:
        time: the world's.
        network: to its clients.
        auditor: told what it holds.
        partitions: of the stream.
        max_bytes: it refuses beyond.
    """

    def __init__(self, time: Scheduler, network: Network, auditor: Auditor, *, partitions: int, max_bytes: int) -> None:
        super().__init__(time, "stream")
        self._network, self._auditor = network, auditor
        self.server = MemoryServer(lambda: time.now, partitions=partitions, max_bytes=max_bytes)
        self.server.up = False
        self.leases = MemoryLeases()
        self.late = 0
        """Answers take so much longer, microseconds."""
        self.readers: list[Callable[[], None]] = []
        """Called when a block has come."""

    def begin(self) -> None:
        """Start, with what the disk holds."""
        super().begin()
        self.server.up = True
        self._ring()

    def kill(self) -> None:
        """End; the blocks stay."""
        super().kill()
        self.server.up = False

    def recreate(self) -> None:
        """Somebody deletes the stream; it is made again, empty and with another name."""
        self.time.trace(self.name, "is made again")
        self.server.recreate()
        self._auditor.recreated(self.server.incarnation)

    def publish(  # noqa: PLR0917  (question and answer)
        self, client: Party, partition: int, block_id: str, data: bytes, answer: Answer, number: int
    ) -> None:
        """A client hands over a block; question and answer may be lost, then nothing is heard."""
        if self._network.is_cut(client.name, self.name):
            return
        life = self.life, client.life

        def arrive() -> None:
            if self.life != life[0]:
                return
            error, before = None, self.server.height
            try:
                seq = self.server.publish(partition, block_id, data)
            except StreamError as refusal:
                error = refusal
            else:
                if seq > before:
                    self._auditor.held(self.server.incarnation, partition, seq, data)
                    self._ring()
                self.time.trace(self.name, "holds", block_id, "partition", partition, "seq", seq)
            if not self._network.is_cut(client.name, self.name):
                self.time.after(self.late + self._network.delay(), answered, error)

        def answered(error: Exception | None) -> None:
            if client.life == life[1]:
                client.hear(answer, number, error)

        self.time.after(self._network.delay(), self.hear, arrive)

    def _ring(self) -> None:
        for reader in self.readers:
            reader()
