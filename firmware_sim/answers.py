"""What devices were asked and will say, on disk: a self-test under way outlives the process, as in a module's flash.

JSON lines, appended; a torn last line is one that was never finished. Rewritten at the start without what is old.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import msgspec

from firmware_sim.commands import Answer
from telemetry.command import Command, Response

FILE = "answers.jsonl"
"""In the fleet's folder."""
_EACH = 8
"""Answers given that are kept for each device: whoever asks again under their id gets them again."""


class _Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question with its answer, or, without them, that the answer was given."""

    device: str
    id: str
    command: Command | None = None
    response: Response | None = None
    began: int = 0
    due: int = 0
    given: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer of a device.

    Attributes:
        device: `org/device`.
        command: what it was asked.
        answer: what it says to it.
        given: whether it has said it.
    """

    device: str
    command: Command
    answer: Answer
    given: bool


class AnswerBook:
    """The answers of a fleet's devices.

    Args:
        path: of the file; it need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = _newest(_read(path))
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(b"".join(_encoded(_line(one)) for one in self._kept))
        fresh.replace(path)
        self._file = path.open("ab", buffering=0)

    def kept(self) -> list[Kept]:
        """What was there at the start, in the order in which it was asked."""
        return list(self._kept)

    def note(self, device: str, command: Command, answer: Answer) -> None:
        """Keep an answer that is still to be given."""
        self._file.write(_encoded(_line(Kept(device, command, answer, given=False))))

    def given(self, device: str, wanted: str) -> None:
        """The answer under an id was given."""
        self._file.write(_encoded(_Line(device=device, id=wanted, given=True)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _read(path: Path) -> dict[tuple[str, str], Kept]:
    found: dict[tuple[str, str], Kept] = {}
    for text in path.read_bytes().splitlines() if path.exists() else ():
        try:
            line = msgspec.json.decode(text, type=_Line)
        except msgspec.DecodeError:
            # Torn by a kill: the device never had it.
            continue
        place = line.device, line.id
        if line.command is not None and line.response is not None:
            answer = Answer(line.due, line.response, began=line.began)
            found[place] = Kept(line.device, line.command, answer, line.given)
        elif place in found:
            before = found[place]
            found[place] = Kept(before.device, before.command, before.answer, line.given)
    return found


def _newest(found: dict[tuple[str, str], Kept]) -> list[Kept]:
    """All that are open, and of those given the last few of each device."""
    given: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for place, one in found.items():
        if one.given:
            given[one.device].append(place)
    old = {place for places in given.values() for place in places[:-_EACH]}
    return [one for place, one in found.items() if place not in old]


def _line(one: Kept) -> _Line:
    return _Line(
        device=one.device,
        id=one.command.id,
        command=one.command,
        response=one.answer.response,
        began=one.answer.began,
        due=one.answer.due,
        given=one.given,
    )


def _encoded(line: _Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"
