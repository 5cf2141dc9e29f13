"""What devices say of their own firmware, as a history in their own order: no late word turns it back.

Nearly every message says what is known already, so a block is looked through as columns; only devices with something
to say are taken word by word. Where versions do not come back, the history is a function of the messages, in whatever
order they arrive. Where one does, the last version is right at once, and the moment of a change that lies inside a
gap is the nearest that is known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

import numpy as np

from storage.telemetry_rows import Batch, FirmwareSpell
from telemetry.block import Block
from worker.memory import DeviceMemory

Place = tuple[int, int]
"""Epoch and seq."""
MOST = 200
"""Versions kept of a device; of one that changes its mind with each message, the oldest are let go."""
_NOBODY = (-1, 0)
_UNHEARD = -2


def speakers(block: Block, memories: Sequence[DeviceMemory | None]) -> dict[int, Place]:
    """Devices of a block that may say something new, by their index in it, before its messages are settled.

    Args:
        block: whose messages name firmware.
        memories: those of `block.devices`, None for strangers.

    Returns:
        Each one's highest place that was settled before the block.
    """
    if not len(block) or not bool(np.any(block.fw >= 0)):
        return {}
    code = {word: index for index, word in enumerate(block.words)}
    newest = [memory.firmware[-1] if memory is not None and memory.firmware else None for memory in memories]
    known = np.array([_UNHEARD if s is None else code.get(s.version, _UNHEARD) for s in newest], dtype=np.int64)
    epochs = np.array([_NOBODY[0] if s is None else s.epoch for s in newest], dtype=np.int64)[block.device]
    seqs = np.array([_NOBODY[1] if s is None else s.seq for s in newest], dtype=np.int64)[block.device]
    before = (block.epoch < epochs) | ((block.epoch == epochs) & (block.seq < seqs))
    new = (block.fw >= 0) & ((block.fw != known[block.device]) | before)
    found = ((index, memories[index]) for index in np.unique(block.device[new]).tolist())
    return {index: _settled(memory) for index, memory in found if memory is not None}


def hear(
    block: Block,
    memories: Sequence[DeviceMemory | None],
    status: Sequence[int],
    speak: Mapping[int, Place],
    batch: Batch,
) -> None:
    """Take the words of those who speak into their histories, and what changed into the batch.

    Args:
        block: see `speakers`.
        memories: likewise.
        status: what became of each message; one that was not stored says nothing.
        speak: of `speakers`.
        batch: see there.
    """
    highest = dict(speak)
    rows = np.flatnonzero((block.fw >= 0) & np.isin(block.device, list(speak))).tolist()
    for row in rows:
        index = int(block.device[row])
        memory = memories[index]
        if memory is None or not status[row]:
            continue
        place = int(block.epoch[row]), int(block.seq[row])
        spell = FirmwareSpell(memory.row.no, *place, int(block.t[row]), block.words[int(block.fw[row])])
        if heard(memory.firmware, spell, highest[index], int(block.arrival[row])):
            del memory.firmware[:-MOST]
            batch.firmware[memory.row.no] = tuple(memory.firmware)
        highest[index] = max(highest[index], place)


def heard(spells: list[FirmwareSpell], said: FirmwareSpell, highest: Place, arrival: int) -> bool:
    """Take one word into a history. Returns whether that changed it.

    Args:
        spells: in the device's order, neighbours of different versions.
        said: what one of its messages says.
        highest: place of the last message before this one to arrive, in the device's order.
        arrival: of the message, microseconds.
    """
    at = bisect_right(spells, said.place, key=lambda each: each.place)
    if at and spells[at - 1].version == said.version:
        return False
    if at < len(spells) and spells[at].version == said.version:
        spells[at] = said  # the change was earlier than was known
    elif at and at == len(spells) and said.place < highest:
        # Between words of one version: it is the present one again, at the latest since what came before this word.
        back = FirmwareSpell(said.device, *highest, max(arrival, said.since), spells[-1].version)
        spells += [said, back]
    else:
        spells.insert(at, said)
    return True


def _settled(memory: DeviceMemory) -> Place:
    """The highest place of a device that was stored, dead-lettered or declared lost."""
    ends = ((p.epoch, p.beyond[-1][1] if p.beyond else p.upto) for p in memory.progress.values())
    return max(ends, default=_NOBODY)
