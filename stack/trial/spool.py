"""The spools of a trial's devices in memory: a place for each message, kept until a receipt covers it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from firmware_sim.firmware import Body
from telemetry.message import Receipt, encode_envelope, telemetry_message


@dataclass(slots=True)
class MemorySpool:
    """The spool of one device, as `firmware_sim.spool` keeps it on disk; it is never full.

    Attributes:
        epoch: of the spool.
        next_seq: of the next message.
        held: seqs without a receipt, ascending.
    """

    epoch: int
    next_seq: int = 1
    held: deque[int] = field(default_factory=deque)

    def append(self, body: Body) -> tuple[int, bytes]:
        """Give a message its place. Returns seq and payload."""
        seq = self.next_seq
        self.held.append(seq)
        self.next_seq += 1
        payload = encode_envelope(
            telemetry_message(
                epoch=self.epoch,
                seq=seq,
                base=self.held[0],
                t_micros=body.t,
                q=body.q,
                dt_micros=body.dt,
                phase=body.phase,
                fw=body.fw,
                events=body.events,
            )
        )
        return seq, payload

    def receipt(self, receipt: Receipt) -> None:
        """Forget what a receipt covers."""
        if receipt.epoch != self.epoch:
            return
        held = self.held
        while held and held[0] <= receipt.upto:
            held.popleft()
        for low, high in receipt.beyond:
            for seq in range(low, high + 1):
                if seq in held:
                    held.remove(seq)
