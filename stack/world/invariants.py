"""What must hold at every moment of a world, whoever is killed: the design's promises as checks.

The auditor stands outside of the product: it is told by the world what devices numbered, what was acknowledged,
receipted and committed, and compares. The first breach ends the run.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import NoReturn

from firmware_sim.firmware import Body
from servicedesk.states import TICKET_ENDED
from stack.world.database import Database
from stack.world.ledger import Ledger, MessageId
from telemetry.block import decode_block
from telemetry.errors import WellkeptError
from telemetry.identity import DeviceKey
from telemetry.message import Receipt, read_identity
from telemetry.progress import Progress
from telemetry.topics import parse_topic
from worker.core import Outcome


class BrokenPromiseError(WellkeptError):
    """An invariant does not hold; `rule` is its stable name."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail

    def __reduce__(self) -> tuple[type[BrokenPromiseError], tuple[str, str]]:
        return type(self), (self.rule, self.detail)


def breach(rule: str, detail: str) -> NoReturn:
    """End the run.

    Raises:
        BrokenPromiseError: always.
    """
    raise BrokenPromiseError(rule, detail)


class Auditor:
    """Checks what can be checked as it happens."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.commits = 0
        self.receipts = 0
        self._database: Database | None = None
        self._held: set[tuple[DeviceKey, int, int]] = set()
        self._held_raw: set[bytes] = set()
        self._unread: dict[tuple[str, int], deque[tuple[int, list[MessageId]]]] = {}
        self._incarnations: list[str] = ["", "memory-1"]
        self._heights: dict[int, tuple[int, int]] = {}
        self.buried: set[tuple[DeviceKey, int, int]] = set()

    def watch(self, database: Database) -> None:
        """Compare with this database."""
        self._database = database

    @property
    def database(self) -> Database:
        """The one that is watched."""
        if self._database is None:
            raise RuntimeError("nothing is watched yet")
        return self._database

    # devices

    def numbered(self, key: DeviceKey, epoch: int, seq: int, body: Body) -> None:
        """A device gave a message its place."""
        self.ledger.numbered(key, epoch, seq, body)

    def dropped(self, key: DeviceKey, epoch: int, seqs: Iterable[int]) -> None:
        """A full spool dropped messages."""
        self.ledger.dropped.update((key, epoch, seq) for seq in seqs)

    def deleted(self, key: DeviceKey, epoch: int, seqs: Iterable[int]) -> None:
        """A device lets go of messages because of a receipt: each must be in the database by now."""
        for seq in seqs:
            self.ledger.deleted.add((key, epoch, seq))
            if not self.is_kept(key, epoch, seq):
                breach("deleted-without-receipt", f"{key} lets go of {epoch}/{seq}, which no committed row covers")

    def is_kept(self, key: DeviceKey, epoch: int, seq: int) -> bool:
        """Whether a message is stored, dead-lettered or declared lost."""
        store = self.database.store
        row = store.devices.get(key)
        if row is not None and (row.no, epoch, seq) in store.messages:
            return True
        if (key, epoch, seq) in self.buried:
            return True
        return row is not None and any(low <= seq <= high for low, high in store.lost.get(row.no, {}).get(epoch, ()))

    # broker and stream

    def held(self, incarnation: str, partition: int, seq: int, data: bytes) -> None:
        """The stream has a new block."""
        block = decode_block(data)
        columns = zip(block.device.tolist(), block.epoch.tolist(), block.seq.tolist(), strict=True)
        places = [(block.devices[device], epoch, number) for device, epoch, number in columns]
        self._held.update(places)
        self._held_raw.update(reject.raw for reject in block.rejects)
        self._unread.setdefault((incarnation, partition), deque()).append((seq, places))

    def acknowledged(self, topic: str, payload: bytes) -> None:
        """The broker may forget a message: the stream must have it."""
        identity = read_identity(payload)
        if identity is not None and (parse_topic(topic)[0], *identity[:2]) in self._held:
            return
        if payload not in self._held_raw:
            breach("acknowledged-before-stream", f"a message on {topic} ({identity}) is in no block")

    def recreated(self, incarnation: str) -> None:
        """The stream was made again."""
        self._incarnations.append(incarnation)

    # workers

    def receipted(self, key: DeviceKey, receipt: Receipt) -> None:
        """A worker sends a receipt: what it covers must be committed."""
        self.receipts += 1
        store = self.database.store
        row = store.devices.get(key)
        progress = (
            store.strangers.get((key, receipt.epoch)) if row is None else store.progress.get((row.no, receipt.epoch))
        )
        if progress is None or not _covers(progress, receipt):
            breach(
                "receipt-before-commit", f"{key} is told {receipt.epoch}/{receipt.upto} {receipt.beyond}: {progress}"
            )

    def committed(self, outcome: Outcome, worker: str, before: tuple[int, int]) -> None:
        """A transaction took effect."""
        self.commits += 1
        batch, store = outcome.batch, self.database.store
        for letter in batch.dead:
            if letter.device is not None and letter.epoch is not None and letter.seq is not None:
                place = letter.device, letter.epoch, letter.seq
                if place in self.buried:
                    breach("buried-twice", f"{place} has two dead letters")
                self.buried.add(place)
        for move in batch.moves:
            new = self._incarnations.index(move.incarnation), move.seq
            at = self._heights.get(move.partition, (0, 0))
            if (self._incarnations.index(move.old_incarnation), move.old_seq) != at:
                breach(
                    "two-owners", f"{worker} moves partition {move.partition} from {move.old_seq}, which stood at {at}"
                )
            if new <= at:
                breach("position-went-back", f"{worker} moves partition {move.partition} from {at} to {new}")
            self._heights[move.partition] = new
            self._nothing_passed_over(move.incarnation, move.partition, move.seq)
        stored, dead = len(store.messages) - before[0], len(store.dead) - before[1]
        if stored + dead != outcome.messages - outcome.duplicates:
            breach(
                "stored-twice",
                f"{worker} takes {outcome.messages} messages, {outcome.duplicates} of them again, "
                f"but {stored} rows and {dead} dead letters are new",
            )
        self.one_ticket_each()

    def _nothing_passed_over(self, incarnation: str, partition: int, upto: int) -> None:
        """A position moves past a block: every message in it has its row."""
        unread = self._unread.get((incarnation, partition), deque())
        while unread and unread[0][0] <= upto:
            seq, places = unread.popleft()
            for place in places:
                if not self.is_kept(*place):
                    breach("passed-over", f"{place} of block {seq} in partition {partition} is nowhere")

    def one_ticket_each(self) -> None:
        """At most one open ticket a device and family."""
        rows = self.database.desk.tickets.rows.values()
        count = Counter((each.device, each.family) for each in rows if each.state not in TICKET_ENDED)
        for (device, family), open_ones in count.items():
            if open_ones > 1:
                breach("two-tickets", f"device {device} has {open_ones} open tickets for {family}")


def _covers(progress: Progress, receipt: Receipt) -> bool:
    """Whether all that a receipt names is settled."""
    if receipt.upto > progress.upto:
        return False
    ranges = [(1, progress.upto), *progress.beyond]
    return all(any(a <= low and high <= b for a, b in ranges) for low, high in receipt.beyond)
