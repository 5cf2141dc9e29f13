"""Where scenarios play: the whole product with a mail server, and one scenario's devices, ledger and measurements."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from datetime import time as clock_time
from pathlib import Path
from random import Random
from uuid import UUID

import numpy as np
import psycopg

from firmware_sim.mqtt import Gateway
from firmware_sim.spool import Spool
from servicedesk.model import Household
from stack.child import Child
from stack.process import tail
from storage.desk import register_household, seed_demo
from storage.pool import connect
from telemetry.clock import system_wall
from telemetry.message import Envelope
from tests.faults.auditor import DeskStory, Ledger, desk_story, open_jobs
from tests.faults.devices import SpoolReader
from tests.faults.post import Post
from tests.faults.proxy import Proxy
from tests.faults.raw import Raw
from tests.spine.rig import Publisher, Rig, make_folder, wait_for

PATIENCE = float(os.environ.get("WELLKEPT_PATIENCE", "1"))
"""Times by which the recovery bound and all waiting are stretched, for a machine that does other things as well."""
RECOVERY = 10.0
_LONGEST = 60.0
REPOSITORY = Path(__file__).parents[2]
WORKER = "wellkept-worker"


class Stage:
    """The product as `wellkept up` starts it, on servers of its own.

    Args:
        proxied: whether two workers, not one, reach the database, through a proxy that can strike.
        rig: how it is run.

    Attributes:
        references: by number of washing machines that leak, what the desk made of it while nothing failed.
    """

    def __init__(self, *, proxied: bool = False, rig: type[Rig] = Rig) -> None:
        self.folder = make_folder()
        self.post = Post()
        self.proxy = Proxy(WORKER) if proxied else None
        self.rig = rig(self.folder, smtp_url=self.post.url, workers=2 if proxied else 1)
        self.references: dict[int, DeskStory] = {}
        self._numbers = 0

    def start(self) -> None:
        """Start everything; the first reading has its receipt when this returns."""

        def place_proxy(rig: Rig) -> None:
            if self.proxy is not None:
                rig.supervisor.proxied = self.proxy.in_front_of

        self.rig.start_all(place_proxy)
        with connect(self.rig.database_url, application="stage") as conn:
            seed_demo(conn, "demo", tz="UTC")
        case = self.case("warm-up", 0)
        case.plugs(1)
        raw = case.raw()
        raw.say(case.name("p0"), numbered(1))
        raw.wait([case.name("p0")], 1, 1, 60 * PATIENCE)
        raw.stop()

    def stop(self) -> None:
        """End everything and leave nothing behind."""
        try:
            self.rig.stop()
        finally:
            self.post.close()
            if self.proxy is not None:
                self.proxy.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def last_words(self) -> str:
        """What the supervisor said and the end of every process's log, for a failure's report."""
        logs = sorted((self.rig.supervisor.data_dir / "logs").glob("*.log"))
        ends = [f"== {log.name}\n{tail(log)}" for log in logs if not log.name.startswith("devices")]
        return "\n".join(["== supervisor", *self.rig.said, *ends])

    def case(self, scenario: str, seed: int) -> Case:
        """A scenario's own devices: their names never meet another's."""
        self._numbers += 1
        folder = self.folder / f"case-{self._numbers}"
        folder.mkdir()
        return Case(self, f"{scenario}-{self._numbers}-", folder, Random(seed))

    def memory_mb(self) -> float:
        """Resident memory of ingest and workers together, MB."""
        pids = [
            child.identity.pid
            for child in self.rig.supervisor.children
            if child.running and child.identity is not None and child.name.startswith(("ingest", "worker"))
        ]
        return sum(resident_mb(pid) for pid in pids)


@dataclass(slots=True)
class Case:
    """One scenario being played.

    Attributes:
        stage: where.
        prefix: of its devices' names.
        folder: for its spools.
        rng: of its seed.
        ledger: what its devices numbered; audited at the end.
        recoveries: seconds from a fault's end to a receipt without a gap.
        reference: prefix of the same devices in a run without faults, when tickets and notices are to be compared.
        rates: messages a second while faults fell.
        notes: figures for the report.
        stretched: bounds of time that were kept only with patience, in words.
    """

    stage: Stage
    prefix: str
    folder: Path
    rng: Random
    ledger: Ledger = field(default_factory=Ledger)
    recoveries: list[float] = field(default_factory=list)
    reference: DeskStory | None = None
    rates: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stretched: list[str] = field(default_factory=list)

    @property
    def rig(self) -> Rig:
        return self.stage.rig

    def gateway(self, keys: Sequence[str], spool: Spool, name: str, window: int) -> Gateway:
        """A connection for devices whose spool is there already; not yet started."""
        return Gateway(
            self.rig.supervisor.mqtt_url("gateway"),
            keys,
            spool,
            system_wall,
            rng=np.random.default_rng(1),
            client_id=f"{self.prefix}{name}",
            window=window,
        )

    @property
    def url(self) -> str:
        return self.stage.rig.database_url

    def name(self, role: str) -> str:
        """A device's name."""
        return f"{self.prefix}{role}"

    def plugs(self, count: int) -> list[str]:
        """Register numbered devices; their names."""
        names = [self.name(f"p{n}") for n in range(count)]
        self.rig.register("smart_plug", names)
        return names

    def washers(self, count: int) -> list[str]:
        """Register washing machines of a household that reads mail; their names."""
        names = [self.name(f"w{n}") for n in range(count)]
        household = Household(
            id=UUID(int=self.rng.getrandbits(128)),
            org="demo",
            name=self.prefix,
            lang="en",
            tz="UTC",
            registered=datetime.now(UTC),
            address="Road 1",
            quiet_from=clock_time(0),
            quiet_to=clock_time(0),
        )
        with connect(self.url, application="stage") as conn:
            register_household(conn, household, contact_name="Li", email=f"{self.prefix}@example.org")
        self.rig.register("washing_machine", names, household.id)
        return names

    def raw(self, name: str = "raw") -> Raw:
        """A connection that says anything."""
        return Raw(self.rig.supervisor.mqtt_url("gateway"), f"{self.prefix}{name}")

    @contextmanager
    def saying(self, names: list[str]) -> Iterator[Publisher]:
        """Devices with a spool that say what they are told to; at the end all is receipted and in the ledger."""
        folder = self.folder / names[0]
        folder.mkdir()
        devices = Publisher(self.rig, folder, names, 0.0)
        wait_for(lambda: devices.gateway.counts().connected, 20 * PATIENCE, "connected")
        try:
            yield devices
        finally:
            for key, (epoch, seq) in devices.last().items():
                self.ledger.values.update({(key.partition("/")[2], epoch, n): None for n in range(1, seq + 1)})
            devices.end()

    @contextmanager
    def load(self, names: list[str], rate: float) -> Iterator[Load]:
        """Numbered devices in a process of their own; at the end all is receipted and in the ledger."""
        load = Load(self, names, rate)
        try:
            load.wait_under_way()
            yield load
            load.settle()
        except AssertionError:
            # What came too late is not lost: it is waited for before it is audited.
            with suppress(AssertionError):
                load.settle()
            raise
        finally:
            load.stop()

    def until(self, condition: Callable[[], bool], seconds: float, what: str) -> float:
        """Wait for a condition on the product; the database may be away meanwhile. Returns the seconds it took."""

        def holds() -> bool:
            with suppress(psycopg.OperationalError):
                return condition()
            return False

        return wait_for(holds, seconds * PATIENCE, what)

    def compare(self, reference: DeskStory) -> None:
        """Let tickets and notices be compared with those of a run without faults."""
        self.reference = reference

    def desk_settled(self, tickets: int) -> DeskStory:
        """Wait until so many tickets are there, no job is open and every notice has left. Returns the story."""

        def settled() -> bool:
            story = desk_story(self.url, self.prefix)
            return len(story.tickets) >= tickets and open_jobs(self.url) == 0 and story.unsent == 0

        self.until(settled, 90, f"{tickets} tickets and their notices")
        return desk_story(self.url, self.prefix)


class Load:
    """Numbered devices in a process of their own, looked after by the stage's supervisor."""

    def __init__(self, case: Case, names: list[str], rate: float) -> None:
        self._case = case
        self.keys = [f"demo/{name}" for name in names]
        self.part = f"devices-{case.prefix}{len(list(case.folder.iterdir()))}"
        self.spool = case.folder / f"{self.part}.sqlite"
        self._reader = SpoolReader(self.spool)
        self._began = time.monotonic()
        arguments = ("-m", "tests.faults.devices", str(self.spool), str(rate), *self.keys)
        environment = {
            "WELLKEPT_MQTT_URL": case.rig.supervisor.mqtt_url("gateway"),
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *filter(None, sys.path)]),
        }
        with case.rig.hands_off():
            self._child: Child = case.rig.supervisor.add(self.part, arguments, environment)

    def last(self) -> dict[str, tuple[int, int]]:
        """Device to `(epoch, last seq)`."""
        return self._reader.last()

    def total(self) -> int:
        """Messages numbered so far."""
        return sum(seq for _, seq in self.last().values())

    def open(self) -> int:
        """Messages without a receipt."""
        return self._reader.held()

    def receipted(self, mark: dict[str, tuple[int, int]]) -> bool:
        """Whether every message up to the mark has its receipt, without a gap."""
        bases = self._reader.bases()
        return all(bases.get(key, 0) > seq for key, (_, seq) in mark.items())

    def recovered(self, what: str) -> float:
        """Wait until what is published from now on has its receipt and the last gap is closed.

        The bound is judged by the runner: here it is measured.
        """
        mark = {key: (epoch, seq + 1) for key, (epoch, seq) in self.last().items()}
        took = wait_for(lambda: self.receipted(mark), _LONGEST * PATIENCE, f"recovery of {what}")
        self._case.recoveries.append(took)
        return took

    def wait_under_way(self) -> None:
        """Wait until every device has receipts."""

        def going() -> bool:
            with suppress(Exception):
                bases = self._reader.bases()
                return len(bases) == len(self.keys) and all(base > 1 for base in bases.values())
            return False

        wait_for(going, 60 * PATIENCE, "the first receipts")

    def settle(self) -> None:
        """Number no more, wait until all is receipted, enter it in the ledger."""
        identity = self._child.identity
        assert identity is not None
        os.kill(identity.pid, signal.SIGUSR1)
        wait_for(lambda: self._reader.held() == 0, 60 * PATIENCE, "all receipted")

    def stop(self) -> None:
        """End the process; what it numbered is in the ledger."""
        with self._case.rig.hands_off():
            self._child.stop()
            self._case.rig.supervisor.children.remove(self._child)
        self._case.ledger.sent(self.last())
        self._reader.close()


def numbered(
    seq: int, *, epoch: int = 1, base: int = 0, t: float | None = None, power: float | None = None
) -> Envelope:
    """A message whose power is its seq; `t` in Unix seconds, now unless given."""
    at = time.time() if t is None else t
    return Envelope(v=1, epoch=epoch, seq=seq, base=base, t=at, q={"power": float(seq) if power is None else power})


def resident_mb(pid: int) -> float:
    """Resident memory of a process, MB; 0 when it is gone."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0
