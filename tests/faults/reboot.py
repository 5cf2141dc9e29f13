"""A machine that restarts: everything killed at once, pid files left behind that point at somebody else's processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from stack import run_state
from tests.faults.kills import PLUGS, unfaulted
from tests.faults.stage import PATIENCE, REPOSITORY, Case
from tests.spine.rig import Rig, wait_for

_RATE = 200.0
"""Messages a second; starting everything takes a while, and all of it piles up at the devices."""
_SLEEP = ("-c", "import signal; signal.pause()")


class UpRig(Rig):
    """The product under `wellkept up`, a process of its own, which can be killed with everything it started."""

    _up: subprocess.Popen[bytes] | None = None

    def start_all(self, before: Callable[[Rig], None] | None = None) -> None:
        """Start the command and wait until it is ready."""
        del before
        settings = self.supervisor.settings
        environment = {
            **os.environ,
            "WELLKEPT_SMTP_URL": settings.smtp_url,
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, sys.path)]),
        }
        command = (
            sys.executable,
            "-c",
            "from stack.cli import main; main()",
            "up",
            "--data-dir",
            str(settings.data_dir),
        )
        with (self.folder / "up.log").open("ab") as log:
            self._up = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        wait_for(self._ready, 60 * PATIENCE, "wellkept up")

    def stop(self) -> None:
        """Ask the command to end, as a person would."""
        for child in self.supervisor.children:
            child.stop()
        if self._up is not None and self._up.poll() is None:
            self._up.send_signal(signal.SIGTERM)
            self._up.wait(60)

    def kill_everything(self) -> None:
        """`kill -9` of the supervisor and of every process that it started."""
        state = run_state.load(self.supervisor.data_dir)
        assert state is not None
        assert self._up is not None
        for part in (state.supervisor, *state.parts):
            if part.pid is not None:
                os.kill(part.pid, signal.SIGKILL)
        self._up.wait(10)
        # Processes of a killed supervisor are nobody's children: their end is seen in the table of processes alone.
        wait_for(lambda: not any(part.alive for part in state.parts), 10 * PATIENCE, "the end of everything")

    def point_pid_files_at(self, stranger: int) -> None:
        """Leave pid files as a restarted machine would: their numbers belong to somebody else by now."""
        data = self.supervisor.data_dir
        run = json.loads((data / "run.json").read_text(encoding="utf-8"))
        for part in (run["supervisor"], *run["parts"]):
            if part["pid"] is not None:
                part["pid"] = stranger
        (data / "run.json").write_text(json.dumps(run), encoding="utf-8")
        server = json.loads((data / "nats" / "server.json").read_text(encoding="utf-8"))
        server["pid"] = stranger
        (data / "nats" / "server.json").write_text(json.dumps(server), encoding="utf-8")
        postgres = self.supervisor.postgres
        assert postgres is not None
        lock = postgres.cluster / "postmaster.pid"
        _, _, rest = lock.read_text(encoding="utf-8").partition("\n")
        lock.write_text(f"{stranger}\n{rest}", encoding="utf-8")

    def _ready(self) -> bool:
        assert self._up is not None
        assert self._up.poll() is None, f"wellkept up ended: {tail_of(self.folder / 'up.log')}"
        state = run_state.load(self.supervisor.data_dir)
        if state is None or state.supervisor.pid != self._up.pid:
            return False
        for server in (self.supervisor.nats, self.supervisor.postgres):
            assert server is not None
            server._load()
        self.supervisor.http_port = int(state.secrets["http_url"].rpartition(":")[2])
        with suppress(OSError):
            return self.supervisor.ready()
        return False


def reboot(case: Case) -> None:
    """Everything dies at once under load; pid files point at a stranger; the product starts again and harms nobody."""
    rig = case.rig
    assert isinstance(rig, UpRig)
    reference = unfaulted(case, 2)
    washers = case.washers(2)
    stranger = subprocess.Popen([sys.executable, *_SLEEP], start_new_session=True)  # noqa: S603  (our own interpreter)
    try:
        with case.load(case.plugs(PLUGS), _RATE) as load, case.saying(washers) as saying:
            case.until(lambda: load.open() >= 100, 20, "a hundred messages under way")
            saying.say(washers[0], "leak")
            rig.kill_everything()
            rig.point_pid_files_at(stranger.pid)
            saying.say(washers[1], "leak")
            began = time.monotonic()
            rig.start_all()
            case.notes.append(f"ready {time.monotonic() - began:.1f} s after its start")
            load.recovered("a reboot")
        assert stranger.poll() is None, "somebody else's process was ended"
    finally:
        stranger.kill()
        stranger.wait()
    case.desk_settled(2)
    case.compare(reference)


def tail_of(log: Path) -> str:
    """The end of a log."""
    return log.read_text(encoding="utf-8", errors="replace")[-2_000:]
