"""Where sites run: in this process, or in others that live as long as the trial; the sites cannot tell."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any, Protocol

from detectors.bank import Bank
from firmware_sim.physics import physics_of
from firmware_sim.physics.base import ContinuousPhysics
from firmware_sim.scenario import Scenario
from firmware_sim.wear import Fault
from stack.trial.asking import Asked
from stack.trial.handed import Ended, SitePlan, Told
from stack.trial.site import Site
from storage.registry import DeviceRow
from telemetry.catalogue import Catalogue, load_catalogue
from telemetry.control import ControlEntry
from telemetry.errors import WellkeptError

_MOST_DEVICES = 128
_SHARED_FROM = 48
_PROGRAMMES_WEIGH = 0.4
_GC_YOUNG = 50_000
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class HostError(WellkeptError):
    """A process of the trial failed; its own error is in the text."""


class Host(Protocol):
    """Some sites. `begin` and `told` are apart, so that several hosts work at the same time."""

    def begin(
        self, to: int, controls: Mapping[int, Sequence[ControlEntry]], asked: Mapping[int, Sequence[Asked]]
    ) -> None:
        """Have every site take up its control entries and requests for self-tests, and go to a fleet time."""
        ...

    def told(self) -> list[Told]:
        """What came of it, once all are there."""
        ...

    def find(self, site: int, device: str) -> list[Fault]:
        """See `Site.find`."""
        ...

    def mend(self, site: int, device: str, family: str, at: int, by: str) -> Fault | None:
        """See `Site.mend`."""
        ...

    def close(self) -> list[Ended]:
        """See `Site.close`; the host ends."""
        ...


def plan_sites(
    scenario: Scenario, seed: int, start: int, rows: Sequence[DeviceRow], *, control: bool
) -> list[SitePlan]:
    """Spread devices over sites, by their number alone: the same sites however many processes there are.

    Devices of one kind stay together, since their physics and detectors work on all of them at once.
    """
    found: list[SitePlan] = []
    kinds: dict[str, list[DeviceRow]] = {}
    for row in sorted(rows, key=lambda one: one.no):
        kinds.setdefault(row.kind, []).append(row)
    for members in kinds.values():
        parts = max(-(-len(members) // _MOST_DEVICES), 2 if len(members) >= _SHARED_FROM else 1)
        for part in range(parts):
            mine = tuple(members[len(members) * part // parts : len(members) * (part + 1) // parts])
            found.append(
                SitePlan(number=len(found), scenario=scenario, seed=seed, start=start, rows=mine, control=control)
            )
    return found


def share_out(plans: Sequence[SitePlan], hosts: int) -> list[list[SitePlan]]:
    """Give sites to hosts: the heaviest first, each to whoever has least."""
    shares: list[list[SitePlan]] = [[] for _ in range(hosts)]
    loads = [0.0] * hosts
    for plan in sorted(plans, key=lambda one: (-_weight(one), one.number)):
        lightest = loads.index(min(loads))
        shares[lightest].append(plan)
        loads[lightest] += _weight(plan)
    return [sorted(share, key=lambda one: one.number) for share in shares if share]


def _weight(plan: SitePlan) -> float:
    kind = plan.rows[0].kind
    try:
        continuous = isinstance(physics_of(kind), ContinuousPhysics)
    except KeyError:
        continuous = True
    return len(plan.rows) * (1.0 if continuous else _PROGRAMMES_WEIGH) + 8.0


class HereHost:
    """Sites of this process.

    Args:
        plans: of the sites.
        base: the product's catalogue; loaded when not given.
    """

    def __init__(self, plans: Sequence[SitePlan], base: Catalogue | None = None) -> None:
        base = base or load_catalogue()
        known = plans[0].scenario.catalogue(base)
        bank = Bank(known)
        self._sites = {plan.number: Site(plan, base, known, bank) for plan in plans}
        self._told: list[Told] = []

    def begin(
        self, to: int, controls: Mapping[int, Sequence[ControlEntry]], asked: Mapping[int, Sequence[Asked]]
    ) -> None:
        """See `Host`, here and below."""
        self._told = [
            site.advance(to, controls.get(number, ()), asked.get(number, ())) for number, site in self._sites.items()
        ]

    def told(self) -> list[Told]:
        """At once."""
        return self._told

    def find(self, site: int, device: str) -> list[Fault]:
        """On the site."""
        return self._sites[site].find(device)

    def mend(self, site: int, device: str, family: str, at: int, by: str) -> Fault | None:
        """On the site."""
        return self._sites[site].mend(device, family, at, by)

    def close(self) -> list[Ended]:
        """Of all sites, by number."""
        return [site.close() for site in self._sites.values()]


class ProcessHost:
    """Sites of a process of their own.

    Args:
        plans: of the sites.
    """

    def __init__(self, plans: Sequence[SitePlan]) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(theirs, list(plans)), name="trial", daemon=True)
        before = {name: os.environ.get(name) for name in _THREADS}
        os.environ.update(dict.fromkeys(_THREADS, "1"))
        try:
            self._process.start()
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
        theirs.close()

    def begin(
        self, to: int, controls: Mapping[int, Sequence[ControlEntry]], asked: Mapping[int, Sequence[Asked]]
    ) -> None:
        """See `Host`, here and below."""
        self._pipe.send(("begin", (to, dict(controls), dict(asked))))

    def told(self) -> list[Told]:
        """Waits for them."""
        found: list[Told] = self._answer()
        return found

    def find(self, site: int, device: str) -> list[Fault]:
        """Asks them."""
        self._pipe.send(("find", (site, device)))
        found: list[Fault] = self._answer()
        return found

    def mend(self, site: int, device: str, family: str, at: int, by: str) -> Fault | None:
        """Asks them."""
        self._pipe.send(("mend", (site, device, family, at, by)))
        found: Fault | None = self._answer()
        return found

    def close(self) -> list[Ended]:
        """Of all their sites; then the process ends."""
        self._pipe.send(("close", ()))
        found: list[Ended] = self._answer()
        self._pipe.close()
        self._process.join()
        return found

    def abandon(self) -> None:
        """End the process at once."""
        self._pipe.close()
        self._process.terminate()
        self._process.join()

    def _answer(self) -> Any:  # noqa: ANN401  (of the question's type)
        try:
            good, answer = self._pipe.recv()
        except (EOFError, ConnectionError) as cause:
            self._process.join()
            raise HostError(f"a process of the trial ended with status {self._process.exitcode}") from cause
        if not good:
            raise HostError(answer)
        return answer


def _serve(pipe: Connection, plans: list[SitePlan]) -> None:
    """What a process of a trial does: answer until it is told to close, or nobody asks any more."""
    try:
        host = HereHost(plans)
        # What a host is made of lives as long as it does, and hardly anything of a step is in a cycle.
        gc.freeze()
        gc.set_threshold(_GC_YOUNG, 10, 20)
        while True:
            what, arguments = pipe.recv()
            if what == "begin":
                host.begin(*arguments)
                answer: object = host.told()
            else:
                answer = getattr(host, what)(*arguments)
            pipe.send((True, answer))
            if what == "close":
                return
    except EOFError:
        return
    except Exception as error:  # noqa: BLE001  (whatever it is, the trial must hear of it)
        pipe.send((False, f"{type(error).__name__}: {error}"))
