"""Carries commands to a running fleet and answers back when their time has come, on a thread of its own."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable

import structlog

from firmware_sim.answers import AnswerBook
from firmware_sim.commands import Answer, Commands
from telemetry.command import Command, decode_command
from telemetry.errors import WireError
from telemetry.message import encode_json

_LONGEST_WAIT_S = 0.25
_log = structlog.get_logger(__name__)
Lock = contextlib.AbstractContextManager[object]


class Courier:
    """Between connections and devices.

    Args:
        commands: carries them out.
        book: keeps the answers that are still to be given, and what the devices were asked before.
        lock: held while it does.
        now: fleet time.
        until: wall seconds until a fleet time, None when it never comes as things stand.
        respond: publishes an answer.
        keep: keeps the fleet, which a command has changed; called with the lock held.
    """

    def __init__(
        self,
        commands: Commands,
        book: AnswerBook,
        lock: Lock,
        *,
        now: Callable[[], int],
        until: Callable[[int], float | None],
        respond: Callable[[str, bytes], None],
        keep: Callable[[], None],
    ) -> None:
        self._commands, self._book, self._lock, self._now, self._until = commands, book, lock, now, until
        self._respond, self._keep = respond, keep
        self._inbox: queue.SimpleQueue[tuple[str, bytes] | None] = queue.SimpleQueue()
        self._open: dict[tuple[str, str], tuple[Command, Answer]] = {}
        for one in book.kept():
            commands.remember(one.device, one.command, one.answer)
            if not one.given:
                self._open[one.device, one.command.id] = one.command, one.answer
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; answers whose time has not come are given by whoever opens the book next."""
        self._inbox.put(None)
        if self._thread.is_alive():
            self._thread.join()
        self._book.close()

    def hand_in(self, device: str, payload: bytes) -> None:
        """Take a command; returns at once."""
        self._inbox.put((device, payload))

    def _run(self) -> None:
        while True:
            with contextlib.suppress(queue.Empty):
                item = self._inbox.get(timeout=self._patience())
                if item is None:
                    return
                self._take(*item)
            self._answer()

    def _patience(self) -> float | None:
        """Wall seconds until the next answer is due; None while none is open."""
        waits = [self._until(answer.due) for _, answer in self._open.values()]
        if not waits:
            return None
        # The clock's speed may change meanwhile: look again soon.
        return min([_LONGEST_WAIT_S, *(max(wait, 0.001) for wait in waits if wait is not None)])

    def _take(self, device: str, payload: bytes) -> None:
        try:
            command = decode_command(payload)
        except WireError as cause:
            _log.warning("command not understood", device=device, reason=cause.reason, detail=cause.detail)
            return
        place = device, command.id
        with self._lock:
            answer = self._commands.take(device, command)
            if answer.changed:
                self._keep()
        if answer.began and place not in self._open:
            self._book.note(device, command, answer)
        self._open[place] = command, answer

    def _answer(self) -> None:
        now = self._now()
        for place, (command, answer) in list(self._open.items()):
            if answer.due > now:
                continue
            device, wanted = place
            with self._lock:
                fresh = self._commands.after_restarts(device, command, answer)
            if fresh is not answer:
                self._book.note(device, command, fresh)
                self._open[place] = command, fresh
                continue
            del self._open[place]
            self._respond(device, encode_json(answer.response))
            if answer.began:
                self._book.given(device, wanted)
