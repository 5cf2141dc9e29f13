"""`/readyz` on the real stack: false within five seconds of a lost part, true again when it is back."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from stack.supervisor import Supervisor
from tests.spine.rig import pid_of, wait_for, whole_product

pytestmark = pytest.mark.stack

LOST = 5.0
BACK = 30.0


class Answer:
    """What `/readyz` says."""

    def __init__(self, url: str) -> None:
        began = time.monotonic()
        try:
            with urlopen(f"{url}/readyz", timeout=4) as answer:  # noqa: S310  (http on the loopback)
                self.status, body = answer.status, json.load(answer)
        except HTTPError as error:
            self.status, body = error.code, json.load(error)
        self.took = time.monotonic() - began
        self.parts = {part["part"]: part["ready"] for part in body["parts"]}
        self.detail = body.get("detail", "")


@pytest.fixture(scope="module")
def running() -> Iterator[Supervisor]:
    with whole_product(workers=2) as supervisor:
        yield supervisor


def whole(supervisor: Supervisor) -> None:
    """Start again what is dead, and wait until everything is said to be there."""

    def all_there() -> bool:
        supervisor.tend()
        return all(child.running for child in supervisor.children) and Answer(supervisor.http_url).status == 200

    wait_for(all_there, BACK, "everything is back")


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def lost(supervisor: Supervisor, names: set[str]) -> Callable[[], bool]:
    def look() -> bool:
        answer = Answer(supervisor.http_url)
        assert answer.took < 1.0, "the answer itself must not hang"
        return answer.status == 503 and names <= {name for name, ready in answer.parts.items() if not ready}

    return look


# What is killed, and the parts that are lost with it. Nobody tends meanwhile: what is lost stays lost.
@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("ingest", {"ingest"}),
        ("worker-1", {"worker"}),
        ("nats", {"stream", "ingest", "worker"}),
        ("postgres", {"database", "worker"}),
    ],
)
def test_a_killed_part_is_said_within_five_seconds_and_said_to_be_back(
    running: Supervisor, part: str, names: set[str]
) -> None:
    whole(running)
    if part == "worker-1":  # the other one takes over: only without both nobody works
        os.kill(pid_of(running, "worker-2"), signal.SIGKILL)
    os.kill(pid_of(running, part), signal.SIGKILL)
    took = wait_for(lost(running, names), LOST, f"the loss of {part} is said")
    print(f"{part}: not ready after {took:.1f} s")  # noqa: T201  (shown with -s)
    whole(running)


@pytest.mark.parametrize(("part", "names"), [("ingest", {"ingest"}), ("nats", {"stream"}), ("postgres", {"database"})])
def test_a_part_that_hangs_is_lost_too(running: Supervisor, part: str, names: set[str]) -> None:
    whole(running)
    pid = pid_of(running, part)
    stopped = [pid, *children_of(pid)]  # the database's backends too: each is a process of its own
    for each in stopped:
        os.kill(each, signal.SIGSTOP)
    try:
        wait_for(lost(running, names), LOST, f"the standstill of {part} is said")
    finally:
        for each in stopped:
            os.kill(each, signal.SIGCONT)
    whole(running)


def test_one_worker_of_two_is_enough_once_it_has_taken_over(running: Supervisor) -> None:
    whole(running)
    os.kill(pid_of(running, "worker-1"), signal.SIGKILL)
    wait_for(lost(running, {"worker"}), LOST, "its partitions are nobody's")
    wait_for(lambda: Answer(running.http_url).status == 200, 15, "the other worker has them")
