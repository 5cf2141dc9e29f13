"""Small trials made by hand, whose figures can be worked out on paper."""

from __future__ import annotations

from stack.trial.matching import DAY
from stack.trial.record import (
    CauseRecord,
    ConfounderRecord,
    DeviceRecord,
    FaultRecord,
    TicketRecord,
    TrialRecord,
    VisitRecord,
)

START = 1_700_000_000_000_000
FRIDGE, OTHER, WASHER = "t/fridge-1", "t/fridge-2", "t/washer-1"
KINDS = {FRIDGE: "refrigerator", OTHER: "refrigerator", WASHER: "washing_machine"}


def at(day: float) -> int:
    return START + round(day * DAY)


def maybe(day: float | None) -> int | None:
    return None if day is None else at(day)


def kind_of(device: str) -> str:
    return KINDS.get(device, "refrigerator")


def fault(
    device: str = FRIDGE,
    onset: float = 10,
    failure: float = 30,
    *,
    family: str = "condenser_airflow",
    name: str = "condenser_fan_wear",
    repaired: float | None = None,
    by: str = "none",
    reported: float | None = None,
    visits: tuple[str, ...] = (),
) -> FaultRecord:
    return FaultRecord(
        device=device,
        kind=kind_of(device),
        model="lx260",
        family=family,
        fault=name,
        severity=3,
        onset=at(onset),
        failure=at(failure),
        repaired=maybe(repaired),
        by=by,
        reported=maybe(reported),
        visits=visits,
    )


def ticket(
    ref: str,
    device: str = FRIDGE,
    opened: float = 15,
    *,
    family: str = "condenser_airflow",
    causes: tuple[tuple[str, float], ...] = (("condenser_fan_wear", 0.8), ("unknown", 0.2)),
    life: tuple[float, float] | None = None,
    source: str = "telemetry",
    reopened: tuple[float, ...] = (),
    visits: tuple[str, ...] = (),
) -> TicketRecord:
    return TicketRecord(
        ref=ref,
        device=device,
        kind=kind_of(device),
        model="lx260",
        family=family,
        severity=3,
        opened=at(opened),
        source=source,
        onset=at(opened - 1) if source == "telemetry" else None,
        causes=tuple(CauseRecord(fault=name, probability=p) for name, p in causes),
        life_low=at(life[0]) if life else None,
        life_high=at(life[1]) if life else None,
        score=0.999 if source == "telemetry" else None,
        reopened=tuple(at(day) for day in reopened),
        visits=visits,
    )


def visit(
    name: str,
    ref: str,
    device: str = FRIDGE,
    finished: float | None = 20,
    *,
    outcome: str | None = "repaired",
    cause: str | None = "condenser_fan_wear",
    minutes: float = 45.0,
    reactive: bool = False,
) -> VisitRecord:
    done = finished is not None
    day = 20 if finished is None else finished
    return VisitRecord(
        id=name,
        ticket=ref,
        device=device,
        proposed=at(day - 2),
        start=at(day - 0.1),
        end=at(day),
        technician="T",
        state="done" if done else "cancelled",
        arrived=maybe(day - 0.1 if done else None),
        finished=maybe(finished),
        travel_minutes=40.0 if done else 0.0,
        work_minutes=minutes if done else 0.0,
        outcome=outcome if done else None,
        cause=cause if done else None,
        reactive=reactive,
    )


def spell(device: str, begin: float, end: float, name: str = "heat_wave") -> ConfounderRecord:
    return ConfounderRecord(device=device, confounder=name, begin=at(begin), end=at(end))


def trial(
    *,
    faults: tuple[FaultRecord, ...] = (),
    tickets: tuple[TicketRecord, ...] = (),
    visits: tuple[VisitRecord, ...] = (),
    confounders: tuple[ConfounderRecord, ...] = (),
    control: tuple[FaultRecord, ...] = (),
    devices: tuple[str, ...] = (FRIDGE, OTHER, WASHER),
    days: int = 100,
) -> TrialRecord:
    return TrialRecord(
        scenario="small",
        seed=1,
        start=START,
        end=at(days),
        days=days,
        devices=tuple(DeviceRecord(device=name, kind=kind_of(name), model="lx260") for name in devices),
        device_days=float(days * len(devices)),
        faults=faults,
        tickets=tickets,
        visits=visits,
        confounders=confounders,
        control=control,
    )
