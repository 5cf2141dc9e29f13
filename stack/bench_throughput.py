"""`wellkept bench throughput`: what the product carries on this machine, beside a pipeline written by hand.

One stack of its own in a temporary folder: embedded servers, ingest, worker and api under the supervisor, 1,000 pumps
that are past commissioning, receipts and detectors on. The *sustained* rate is the highest offered one at which the
backlog (published and not yet committed) does not grow; it is sought in short runs and then held for the whole time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stack.bench_load import BenchError, Program, Sink, Told, Trial, growing, search
from stack.bench_meter import Part, cpu_us, memory_mb
from stack.embedded_postgres import EmbeddedPostgres
from stack.process import tail, wait_until
from stack.settings import Settings
from stack.supervisor import Supervisor
from storage.pool import connect
from storage.registry import register_device
from telemetry.clock import system_wall, to_datetime
from telemetry.identity import DeviceKey

ORG = "demo"
CHANNELS = 8
_EPOCH = 1
_WARM_ROWS, _WARM_SWEEPS = 60, 7  # 420 readings: a pump's commissioning is 400
_BOUND = 30_000  # messages without receipt while the rate is free; receipts come once a second
_PROBE_S, _TRIAL_S, _HALF_S, _SHORT_S = 10.0, 12.0, 60.0, 6.0
_SETTLE_S = 150.0
_READY_S = 60.0
_SAFE = 0.95


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run.

    Attributes:
        seconds: at the sustained rate.
        broker: `embedded` or the address of a broker of yours, with a user that may do everything.
        rate: offer exactly this instead of searching, messages a second.
        devices: how many pumps.
        workers: processes.
        window: in-flight window of an own broker, as it is configured there.
        reference: run the hand-written pipeline, the drain and the bare COPY too.
    """

    seconds: float = 60.0
    broker: str = "embedded"
    rate: float | None = None
    devices: int = 1_000
    workers: int = 1
    window: int = 20_000
    reference: bool = True


@dataclass(slots=True)
class _Run:
    """One run of the generator and what became of it."""

    sent: dict[str, Any]
    audit: dict[str, Any]
    cpu: dict[str, float]
    spent: float
    rss: list[dict[str, float]] = field(default_factory=list)

    @property
    def kept_up(self) -> bool:
        rate = self.sent["sent"] / self.sent["seconds"]
        return self.sent["behind_s"] < 1.0 and not growing(self.audit["backlog"], rate)


class Bench:
    """A running stack with its devices."""

    def __init__(self, plan: Plan, folder: Path, told: Told) -> None:
        self.plan = plan
        self._folder = folder
        self._told = told
        own = {} if plan.broker == "embedded" else {"mqtt_url": plan.broker}
        self.stack = Supervisor(Settings(data_dir=folder / "data", org=ORG, **own), lambda _line: None)  # type: ignore[arg-type]
        # Commit times are asked of the database afterwards; nothing else differs from the product's own server.
        self.stack.postgres = EmbeddedPostgres(folder / "data" / "postgres", options={"track_commit_timestamp": "on"})
        self._next_seq = 1
        self._runs = 0

    def start(self) -> None:
        """Servers, devices, processes, and the pumps' commissioning."""
        began = time.monotonic()
        self.stack.start_servers()
        with connect(self.stack.database_url, application="bench") as conn:
            now = to_datetime(system_wall())
            for number in range(self.plan.devices):
                register_device(conn, DeviceKey(ORG, f"pump-{number:05d}"), "pump", registered=now)
        if self.plan.broker != "embedded":
            os.environ["WELLKEPT_MQTT_WINDOW"] = str(self.plan.window)
        # The API is no part of a reading's way.
        plan = [("ingest", "ingest"), *((f"worker-{i + 1}", "worker") for i in range(self.plan.workers))]
        for name, module in plan:
            self.stack.add(name, ("-m", module), self.stack._environment(module))  # noqa: SLF001  (of the same package)
        ingest = self.stack.children[0]
        if not wait_until(lambda: "broker connected" in tail(ingest.log), _READY_S):
            raise BenchError(f"ingest does not reach the broker: {tail(ingest.log)}")
        self._told(f"stack of {len(self.parts())} parts ready after {time.monotonic() - began:.1f} s")
        warm = self.generate(sweeps=_WARM_SWEEPS, rows=_WARM_ROWS, rate=0, bound=3_000, back=_WARM_SWEEPS * _WARM_ROWS)
        readings = warm.audit["stored"] * _WARM_ROWS
        self._told(f"commissioned: {readings:,} readings of {self.plan.devices:,} pumps in {warm.spent:.1f} s")
        if warm.audit["lost"]:
            raise BenchError(f"{warm.audit['lost']} messages of the warm-up did not arrive")

    def stop(self) -> None:
        """End everything."""
        self.stack.stop()
        if self.stack.postgres is not None:
            self.stack.postgres.remove()

    def tell_logs(self) -> None:
        """The ends of the logs, before the folder goes."""
        for child in self.stack.children:
            self._told(f"-- {child.name}, exit status {child.exit_status}\n{tail(child.log)}")

    def parts(self) -> dict[str, Part]:
        """Every process but the generator and this one."""
        found = {each.name: Part(each.identity.pid) for each in self.stack.children if each.running and each.identity}
        for name, server in (("nats", self.stack.nats), ("postgres", self.stack.postgres)):
            if server is not None and server.pid is not None:
                found[name] = Part(server.pid, tree=True)
        if self.plan.broker != "embedded" and (pid := _listener(self.plan.broker)) is not None:
            found["broker"] = Part(pid)
        return found

    def generate(
        self,
        *,
        rate: float,
        seconds: float = 0.0,
        sweeps: int = 0,
        rows: int = 1,
        bound: int = 10_000_000,
        back: int = 0,
    ) -> _Run:
        """Let the devices speak and wait until everything has its receipt."""
        parts = self.parts()
        before, began = cpu_us(parts), time.monotonic()
        rss: list[dict[str, float]] = []
        self._runs += 1
        out = self._folder / f"sent-{self._runs}.npz"

        def heard(line: dict[str, Any]) -> None:
            if line["second"] == max(1, int(seconds / 5)) or line["second"] == int(seconds) - 1:
                rss.append(memory_mb(parts))
            if line["second"] % 5 == 0:
                self._told(
                    f"  {line['second']:>3} s: {line['sent']:,} sent, {line['unacked']:,} without PUBACK, "
                    f"{line['unreceipted']:,} without receipt"
                )

        options = {
            "url": self._gateway(),
            "org": ORG,
            "devices": self.plan.devices,
            "rate": rate,
            "for": seconds,
            "sweeps": sweeps,
            "rows": rows,
            "epoch": _EPOCH,
            "first-seq": self._next_seq,
            "bound": bound,
            "start": time.time() - back if back else 0.0,
            "out": out,
        }
        sent = Program("generator", options, heard).wait(seconds + _SETTLE_S)
        used = {name: value - before[name] for name, value in cpu_us(parts).items()}
        spent = time.monotonic() - began
        self._next_seq = sent["last_seq"] + 1
        audit = Program(
            "audit", {"database": self.stack.database_url, "epoch": _EPOCH, "sent": out}, lambda _line: None
        ).wait(_SETTLE_S + seconds)
        out.unlink()
        per_message = {name: round(value / max(1, sent["sent"]), 1) for name, value in used.items()}
        return _Run(sent, audit, per_message, spent, rss)

    def trial(self, rate: float) -> Trial:
        """A short run at a rate."""
        run = self.generate(rate=rate, seconds=_TRIAL_S)
        return Trial(rate, run.audit["carried_per_s"], run.kept_up)

    def capacity(self) -> float:
        """Committed messages a second when the generator publishes as many as get their receipts."""
        run = self.generate(rate=0, seconds=_PROBE_S, bound=_BOUND)
        return float(run.audit["carried_per_s"])

    def against(self, module: str, options: dict[str, object]) -> tuple[float, dict[str, float]]:
        """The sustained rate of a sink in the product's place, and the CPU it costs a message, by part."""
        sink = Sink(module, options)
        parts = {**self.parts(), module: Part(sink.pid)}
        published = 0

        def run(rate: float, seconds: float) -> tuple[dict[str, Any], Trial]:
            nonlocal published
            backlog: list[int] = []
            start = sink.taken
            generator = Program(
                "generator",
                {"url": self._gateway(), "org": ORG, "devices": self.plan.devices, "rate": rate, "for": seconds}
                | {"epoch": 2, "first-seq": 1 + published},
                lambda line: backlog.append(line["sent"] - (sink.taken - start)),
            )
            sent = generator.wait(seconds + _SETTLE_S)
            published = sent["last_seq"]
            if not sink.settle(start + sent["sent"], _SETTLE_S):
                raise BenchError(f"{module} took {sink.taken - start:,} of {sent['sent']:,} messages")
            offered = sent["sent"] / sent["seconds"]
            carried = (sent["sent"] - (backlog[-1] if backlog else 0)) / sent["seconds"]
            kept_up = sent["behind_s"] < 0.5 and not growing(backlog, offered)  # noqa: PLR2004  (seconds)
            return sent, Trial(offered, carried, kept_up)

        try:
            _, free = run(0, _SHORT_S)
            best = search(lambda rate: run(rate, _SHORT_S)[1], free.carried, self._told)
            before = cpu_us(parts)
            sent, _ = run(best, _TRIAL_S)
            used = {name: round((now - before[name]) / sent["sent"], 1) for name, now in cpu_us(parts).items()}
        finally:
            sink.end()
        return best, used

    def stop_processes(self) -> None:
        """The product's own processes, so that a sink takes their place."""
        for child in self.stack.children:
            child.stop()

    def _gateway(self) -> str:
        return self.stack.mqtt_url("gateway")


def throughput(plan: Plan, told: Told) -> dict[str, Any]:
    """Run it all. Returns the figures under the names that `docs/speed.md` explains."""
    with _bench(plan, told) as bench:
        bench.start()
        if plan.rate is None:
            told("capacity: as many as get their receipts")
            capacity = bench.capacity()
            told(f"  {capacity:,.0f}/s committed; the search for what can be held")
            rate = search(bench.trial, capacity * _SAFE, told)
        else:
            rate = plan.rate
        full = _hold(bench, rate, plan, told)
        rate = full.sent["sent"] / full.sent["seconds"]
        told(f"half of it, {rate / 2:,.0f}/s, for latency")
        half = bench.generate(rate=rate / 2, seconds=min(_HALF_S, plan.seconds))
        found = _figures(plan, rate, full, half)
        if plan.reference:
            found |= _compare(bench, plan, found["cpu_us_per_message"], told)
    return found


def _hold(bench: Bench, rate: float, plan: Plan, told: Told) -> _Run:
    """The whole time at the rate; a little less when the backlog grows after all."""
    for _ in range(3):
        told(f"{rate:,.0f}/s for {plan.seconds:g} s")
        run = bench.generate(rate=rate, seconds=plan.seconds)
        if run.kept_up or plan.rate is not None:
            break
        told("  the backlog grew")
        rate *= _SAFE
    return run


def _figures(plan: Plan, rate: float, full: _Run, half: _Run) -> dict[str, Any]:
    total = round(sum(full.cpu.values()), 1)
    rss = [round(sum(each.values()), 1) for each in full.rss] or [0.0]
    return {
        "messages_per_s": round(rate),
        "points_per_s": round(rate * CHANNELS),
        "sustained": full.kept_up,
        "seconds": plan.seconds,
        "devices": plan.devices,
        "p50_ms": half.audit["p50_ms"],
        "p99_ms": half.audit["p99_ms"],
        "slow_seconds": half.audit["slow_seconds"],
        "full_p50_ms": full.audit["p50_ms"],
        "full_p99_ms": full.audit["p99_ms"],
        "cpu_us_per_message": total,
        "cpu_us": full.cpu,
        "generator_cpu_us": round(full.sent["cpu_us"], 1),
        "broker": "embedded" if plan.broker == "embedded" else plan.broker.rpartition("@")[2],
        "lost": full.audit["lost"] + half.audit["lost"],
        "duplicated": full.audit["duplicated"] + half.audit["duplicated"],
        "dead_letters": half.audit["dead"],
        "resent": full.sent["resent"] + half.sent["resent"],
        "rss_mb_start": rss[0],
        "rss_mb_end": rss[-1],
        "rss_mb": {name: [full.rss[0][name], full.rss[-1][name]] for name in full.rss[0]} if full.rss else {},
        "cores": os.cpu_count(),
    }


def _compare(bench: Bench, plan: Plan, ours: float, told: Told) -> dict[str, Any]:
    bench.stop_processes()
    url = plan.broker if plan.broker != "embedded" else bench.stack.mqtt_url("ingest")
    told("the reference, on the same broker and database")
    reference, used = bench.against("reference", {"url": url, "database": bench.stack.database_url})
    told("the broker alone")
    broker, _ = bench.against("drain", {"url": url})
    told("the database alone")
    copied = Program("copy_only", {"database": bench.stack.database_url, "for": 5}, lambda _line: None).wait(60)
    cost = round(sum(used.values()), 1)
    return {
        "reference_per_s": round(reference),
        "reference_cpu_us": cost,
        "reference_cpu": used,
        "cpu_ratio": round(ours / cost, 2) if cost else None,
        "broker_only_per_s": round(broker),
        "copy_only_per_s": round(copied["messages"] / copied["seconds"]),
    }


@contextmanager
def _bench(plan: Plan, told: Told) -> Iterator[Bench]:
    folder = Path(tempfile.mkdtemp(prefix="wellkept-bench-"))
    folder.chmod(0o711)  # the database's account passes through
    bench = Bench(plan, folder, told)
    try:
        yield bench
    except BaseException:
        bench.tell_logs()
        raise
    finally:
        bench.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _listener(url: str) -> int | None:
    """The process on this machine that listens on a broker's port, or None."""
    port = f"{urlsplit(url).port or 1883:04X}"
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            words = line.split()
            if words[1].endswith(f":{port}") and words[3] == "0A":
                inodes.add(f"socket:[{words[9]}]")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if any(str(handle.readlink()) in inodes for handle in (entry / "fd").iterdir()):
                    return int(entry.name)
            except OSError:
                continue
    return None
