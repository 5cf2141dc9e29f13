"""One run of the demo without its looks: servers, processes, fleet, people, clock and score."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from firmware_sim.process import Report
from stack import demo_fleet
from stack.child import Child
from stack.clockwork import Clockwork, is_production
from stack.demo_fleet import DemoState
from stack.errors import StackError
from stack.governor import Governor, Pressure, ceiling_of
from stack.panel import Surroundings
from stack.process import tail
from stack.score import OpenedTicket, TrueFault, score
from stack.settings import Settings
from stack.simulation import forget_report, read_report, read_truth, write_yours
from stack.supervisor import Supervisor
from stack.watch import View, Watch, embedded_stream
from storage.lab_store import ClockWish, forget_wish, keep_clock, read_wish
from storage.overview import TicketLine, Unreachable, count_readings, list_tickets, read_counts, read_endings
from storage.pool import Connection, connect
from stream.port import StreamError
from telemetry.catalogue import load_catalogue
from telemetry.clock import MICROS, system_wall, to_datetime

_TICK_S = 0.2
_LOOK_S = 0.5
_DECIDE_S = 1.5
_ALIKE = 0.02
_RECEIPT_REST_S = 1.2
_KEEP_S = 2.0
_WAITING = {"detected", "open"}
REAL_TIME = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """What `wellkept demo` was asked for.

    Attributes:
        data_dir: of the demo.
        speed: ceiling of the clock.
        seed: of the fleet, on the first run.
        seconds: end after so many, or None.
        headless: nobody answers for the household that is yours.
        workers: worker processes.
    """

    data_dir: Path
    speed: float
    seed: int
    seconds: float | None
    headless: bool
    workers: int = 1


class DemoRun:
    """Everything that runs, and its clock.

    Args:
        options: see there.
        told: hears one sentence about each thing that happens.
    """

    def __init__(self, options: Options, told: Callable[[str], None]) -> None:
        self.options = options
        self._told = told
        self._began = time.monotonic()
        self.supervisor = Supervisor(Settings(data_dir=options.data_dir, workers=options.workers), self._hear)
        self._governor = Governor(options.speed)
        self._message = ""
        self._conn: Connection | None = None
        self._watch: Watch | None = None
        self._state: DemoState | None = None
        self._fleet: Child | None = None
        self._first_ticket: float | None = None
        self._tickets_before = 0
        self._begin_fleet = 0
        self._decided = self._looked = self._kept = 0.0
        self._wish: ClockWish | None = None
        self._speed_sum = self._speed_time = 0.0
        self._last_tick = time.monotonic()
        self.login = ""
        self.yours_link = ""
        self.view: View | None = None
        self.devices = 0

    # what the looks ask for

    @property
    def elapsed(self) -> float:
        """Wall seconds since the command began."""
        return time.monotonic() - self._began

    @property
    def fleet_now(self) -> datetime:
        """Fleet time."""
        return to_datetime(self._clock.now())

    def over(self) -> bool:
        """Whether the asked-for time has passed."""
        return self.options.seconds is not None and self.elapsed >= self.options.seconds

    def surroundings(self) -> Surroundings:
        """What the panel shows beside the view."""
        return Surroundings(
            fleet_now=self.fleet_now,
            speed=self._clock.clock.speed,
            ceiling=self.options.speed,
            elapsed=self.elapsed,
            http_url=self.supervisor.http_url,
            login=self.login,
            yours=self.yours_link,
            message=self._message,
        )

    # life

    def start(self) -> None:
        """Start everything; the clock stands until all is there.

        Raises:
            StackError: a part cannot be started, or the database holds something else than this demo.
        """
        self.supervisor.start_servers()
        self._conn = connect(self.supervisor.database_url, application="wellkept-demo", autocommit=True)
        self._enter()
        forget_wish(self._conn)
        folder = self.options.data_dir.resolve() / "fleet"
        self.supervisor.start_processes({"api": {"WELLKEPT_SIM_FOLDER": str(folder)}})
        state = self._known
        forget_report(folder)
        write_yours(folder, None if self.options.headless or state.answered else state.yours)
        self._fleet = self.supervisor.add(
            "fleet",
            ("-m", "stack.simulation"),
            {
                "WELLKEPT_MQTT_URL": self.supervisor.settings.mqtt_url or self.supervisor.mqtt_url("gateway"),
                "WELLKEPT_SIM_API_URL": self.supervisor.http_url,
                "WELLKEPT_SIM_TOKEN": state.token,
                "WELLKEPT_FLEET_DIR": str(folder),
                "WELLKEPT_FLEET_SCENARIO": state.scenario,
                "WELLKEPT_FLEET_SEED": str(state.seed),
                "WELLKEPT_FLEET_START": str(state.start),
            },
        )
        self.supervisor.save()
        self.supervisor.wait_ready()
        monitor = self.supervisor.nats.monitor_url if self.supervisor.nats is not None else None
        self._watch = Watch(self._conn, embedded_stream(monitor), system_wall)
        self._tickets_before = read_counts(self._conn).tickets
        self._begin_fleet = self._clock.now()

    def tick(self) -> None:
        """Look after everything for a moment."""
        time.sleep(max(0.0, _TICK_S - (time.monotonic() - self._last_tick)))
        now = time.monotonic()
        self._speed_sum += self._clock.speed_now() * (now - self._last_tick)
        self._speed_time += now - self._last_tick
        self._last_tick = now
        self.supervisor.tend()
        try:
            self._observe(now)
        except (Unreachable, StreamError):
            # A server was killed: the supervisor brings it back, the clock waits, and so do we.
            with contextlib.suppress(Unreachable):
                self._reconnect()

    def _observe(self, now: float) -> None:
        watch, said = self._given_watch, read_report(self._folder)
        lag = max(watch.lag(), self._device_lag(said))
        if now - self._looked >= _LOOK_S:
            self._looked = now
            self.view = watch.look(self._clock.now(), lag)
            self._look_at_tickets()
            self._hear_wishes(now)
        self._govern(now, lag, said)

    def _hear_wishes(self, now: float) -> None:
        """People may ask for another ceiling from the pages; we say that we listen."""
        if self._conn is None:
            return
        if now - self._kept >= _KEEP_S:
            self._kept = now
            keep_clock(self._conn, to_datetime(system_wall()), self.options.speed)
        asked = read_wish(self._conn)
        if asked != self._wish:
            self._wish, self._decided = asked, 0.0
        self._governor.ceiling = ceiling_of(self._wish, self.options.speed, self.fleet_now)

    def _reconnect(self) -> None:
        fresh = connect(self.supervisor.database_url, application="wellkept-demo", autocommit=True)
        if self._conn is not None:
            self._conn.close()
        self._conn = fresh
        self._given_watch.rebind(fresh)
        self.supervisor.reconnect_clock()

    def answer_for_you(self) -> None:
        """A simulated owner answers for the household that is yours."""
        self._state = replace(self._known, answered=True)
        self._state.save(self.options.data_dir.resolve())
        write_yours(self._folder, None)
        self.yours_link = ""

    def stop(self) -> dict[str, Any]:
        """Stand the clock still, drain, stop everything. Returns the score, empty when it never got going."""
        try:
            if self._fleet is None or self._conn is None:
                return {}
            with contextlib.suppress(StreamError):
                self._clock.stand()
            self._fleet.stop()
            return self._result(self._conn)
        finally:
            if self._conn is not None:
                self._conn.close()
            self.supervisor.stop()

    # inside

    @property
    def _clock(self) -> Clockwork:
        if self.supervisor.clockwork is None:
            raise StackError("the servers have not been started")
        return self.supervisor.clockwork

    @property
    def _known(self) -> DemoState:
        if self._state is None:
            raise StackError("the demo has not been entered")
        return self._state

    @property
    def _given_watch(self) -> Watch:
        if self._watch is None:
            raise StackError("the demo has not been started")
        return self._watch

    @property
    def _folder(self) -> Path:
        return self.options.data_dir.resolve() / "fleet"

    def _hear(self, line: str) -> None:
        self._message = line
        self._told(line)

    def _enter(self) -> None:
        data_dir = self.options.data_dir.resolve()
        self._state = demo_fleet.load_state(data_dir)
        with connect(self.supervisor.database_url, application="wellkept-demo") as conn:
            self.devices = read_counts(conn).devices
            if self._state is None:
                if self.devices:
                    raise StackError("this database holds other devices; the demo wants one of its own")
                self._state = demo_fleet.enter(conn, self.options.seed, to_datetime(system_wall()))
                self.login = f"dispatch / {self._state.password}   technician {demo_fleet.ROAD} / {self._state.road}"
                self.devices = read_counts(conn).devices
        self._state.save(data_dir)
        if is_production(self._clock.clock):
            self._clock.begin(self._state.start)

    def _device_lag(self, said: Report | None) -> float:
        if said is None:
            return 0.0
        # A device gets one receipt a second at most: waiting for its turn is not lateness.
        receipts = max(0.0, said.lag - _RECEIPT_REST_S)
        behind = (self._clock.now() - said.fleet) / MICROS / self.options.speed
        return max(receipts, behind - _TICK_S)

    def _govern(self, now: float, lag: float, said: Report | None) -> None:
        if now - self._decided < _DECIDE_S or not self._clock.settled():
            return
        self._decided = now
        speed = self._clock.clock.speed
        if said is None or not said.connected or self._governor.ceiling == 0.0:
            wanted = 0.0
        elif self.yours_link:
            wanted = REAL_TIME
        else:
            open_now = self._given_watch.open(self._clock.now())
            pressure = Pressure(lag, due=open_now.due + open_now.jobs + open_now.entries, people=said.people_open)
            wanted = self._governor.decide(speed, pressure, now)
        if abs(wanted - speed) > _ALIKE * max(speed, wanted):
            self._clock.set_speed(wanted)

    def _look_at_tickets(self) -> None:
        view = self.view
        if view is None or self._conn is None:
            return
        if self._first_ticket is None and view.counts.tickets > self._tickets_before and view.counts.notices:
            self._first_ticket = self.elapsed
        if self.options.headless or self._known.answered:
            return
        mine = [t for t in list_tickets(self._conn) if str(t.household) == self._known.yours]
        link = next((n.link for n in view.notices if str(n.household) == self._known.yours and n.link), "")
        if self.yours_link:
            if mine and mine[-1].state not in _WAITING and not self._proposed(mine[-1]):
                self.answer_for_you()
        elif mine and link:
            self.yours_link = link

    def _proposed(self, ticket: TicketLine) -> bool:
        """Whether the visit still waits for the owner's answer."""
        return ticket.visit == "proposed"

    def _result(self, conn: Connection) -> dict[str, Any]:
        counts = read_counts(conn)
        tickets = [
            OpenedTicket(t.ref, f"{t.org}/{t.device}", t.family, t.opened.timestamp()) for t in list_tickets(conn)
        ]
        faults = [
            TrueFault(
                f.device,
                f.family,
                f.onset / MICROS,
                f.failure / MICROS,
                f.repaired / MICROS if f.repaired is not None else None,
            )
            for f in read_truth(self._folder)
        ]
        ended = self._clock.now()
        got = score(faults, tickets, started=self._known.start / MICROS, ended=ended / MICROS)
        if self._fleet is not None and self._fleet.exit_status not in {0, None}:
            self._told(f"the fleet ended with status {self._fleet.exit_status}: {tail(self._fleet.log)}")
        return {
            "messages": counts.messages,
            "readings": count_readings(conn, load_catalogue()),
            "findings": counts.findings,
            "tickets": counts.tickets,
            "visits": counts.visits,
            "notices": counts.notices,
            "closed_verified": counts.closed_verified,
            **asdict(read_endings(conn)),
            "first_ticket_s": round(self._first_ticket, 1) if self._first_ticket is not None else None,
            "false_tickets": got.false_tickets,
            "faults": got.faults,
            "caught": got.caught,
            "false_refs": list(got.false_refs),
            "lead_days": got.lead_days,
            "delay_days": got.delay_days,
            "lost": counts.lost,
            "dead_letters": counts.dead_letters,
            "fleet_days": round((ended - self._begin_fleet) / MICROS / 86_400, 2),
            "mean_speed": round(self._speed_sum / self._speed_time) if self._speed_time else 0,
            "seconds": round(self.elapsed, 1),
        }
