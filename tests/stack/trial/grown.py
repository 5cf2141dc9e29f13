"""A trial that is drawn, not run: plausible in size and spread, for the page and its speed."""

from __future__ import annotations

import numpy as np

from stack.trial.matching import DAY
from stack.trial.record import (
    CauseRecord,
    ConfounderRecord,
    DailyPeaks,
    DeviceRecord,
    EpisodeRecord,
    FaultRecord,
    TicketRecord,
    TrialRecord,
    VisitRecord,
)
from telemetry.catalogue import Catalogue
from tests.stack.trial.small import START

KINDS = ("refrigerator", "washing_machine")


def grown(catalogue: Catalogue, *, seed: int = 5, devices: int = 60, days: int = 365) -> TrialRecord:
    """A fleet whose faults are mostly caught, with a few misses, false tickets and visits that went wrong."""
    rng = np.random.default_rng(seed)
    fleet = tuple(
        DeviceRecord(device=f"t/{KINDS[i % 2]}-{i:03d}", kind=KINDS[i % 2], model="m1") for i in range(devices)
    )
    end = START + days * DAY
    faults: list[FaultRecord] = []
    control: list[FaultRecord] = []
    tickets: list[TicketRecord] = []
    visits: list[VisitRecord] = []
    episodes: list[EpisodeRecord] = []
    spells: list[ConfounderRecord] = []
    peaks = rng.gamma(2.0, 1.5, size=(devices, days, 3)).astype(np.float32)
    for number, device in enumerate(fleet):
        spells += [
            ConfounderRecord(
                device=device.device, confounder="heat_wave", begin=START + 180 * DAY, end=START + 194 * DAY
            )
        ]
        if rng.random() < 0.2:
            begin = START + int(rng.integers(0, days - 20)) * DAY
            spells.append(ConfounderRecord(device=device.device, confounder="guests", begin=begin, end=begin + 5 * DAY))
        names = list(catalogue[device.kind].faults)
        for _ in range(int(rng.poisson(0.8))):
            name = str(rng.choice(names))
            spec = catalogue[device.kind].faults[name]
            onset = START + int(rng.uniform(0, days) * DAY)
            failure = onset + int(rng.uniform(*spec.lead_days) * DAY)
            base = FaultRecord(
                device=device.device,
                kind=device.kind,
                model="m1",
                family=spec.family,
                fault=name,
                severity=spec.severity,
                onset=onset,
                failure=failure,
            )
            late = failure + int(rng.uniform(1, 5) * DAY)
            control.append(base if failure > end else _mended(base, late, "breakdown"))
            first, last = (onset - START) // DAY, min((failure - START) // DAY + 3, days)
            peaks[number, first:last, 0] += np.linspace(0, 14, max(last - first, 0), dtype=np.float32)
            opened = onset + int((failure - onset) * rng.beta(2, 4))
            if opened > end or rng.random() < 0.12:
                faults.append(base if failure > end else _mended(base, late, "breakdown"))
                continue
            ref, visit = f"WK-{len(tickets) + 1:04d}", f"V{len(visits) + 1}"
            life = (failure - opened) * float(rng.lognormal(0, 0.35))
            right = rng.random() < 0.8
            named = name if right else str(rng.choice(names))
            done = opened + int(rng.uniform(1, 4) * DAY)
            tickets.append(
                TicketRecord(
                    ref=ref,
                    device=device.device,
                    kind=device.kind,
                    model="m1",
                    family=spec.family,
                    severity=spec.severity,
                    opened=opened,
                    onset=onset + DAY,
                    causes=(CauseRecord(named, 0.8, (("run_time", 1700.0, 1415.0),)), CauseRecord("unknown", 0.2)),
                    life_low=opened + int(life * 0.5),
                    life_high=opened + int(life * 1.8),
                    score=0.9999,
                    detector="cycles",
                    state="closed",
                    visits=(visit,),
                )
            )
            visits.append(
                VisitRecord(
                    id=visit,
                    ticket=ref,
                    device=device.device,
                    proposed=opened,
                    start=done - DAY // 12,
                    end=done,
                    technician="T",
                    state="done",
                    arrived=done - DAY // 12,
                    finished=done,
                    travel_minutes=40,
                    work_minutes=float(spec.minutes),
                    outcome="repaired",
                    cause=name,
                )
            )
            episodes.append(_episode(ref, device.device, spec.family, opened))
            faults.append(_mended(base, done, "visit", visit))
    for _ in range(devices // 12):
        device = fleet[int(rng.integers(0, devices))]
        spec = next(iter(catalogue[device.kind].faults.values()))
        opened = START + int(rng.uniform(10, days) * DAY)
        ref = f"WK-{len(tickets) + 1:04d}"
        tickets.append(
            TicketRecord(
                ref=ref,
                device=device.device,
                kind=device.kind,
                model="m1",
                family=spec.family,
                severity=3,
                opened=opened,
                onset=opened - DAY,
                causes=(CauseRecord("unknown", 0.7, (("duty", 0.46, 0.39),)), CauseRecord("condenser_fan_wear", 0.3)),
                rejected=("heat_wave",),
                score=0.9991,
                detector="cycles",
                state="false_alarm",
            )
        )
        episodes.append(_episode(ref, device.device, spec.family, opened))
    split = {kind: [i for i, each in enumerate(fleet) if each.kind == kind] for kind in KINDS}
    return TrialRecord(
        scenario="grown",
        seed=seed,
        start=START,
        end=end,
        days=days,
        devices=fleet,
        device_days=float(devices * days),
        faults=tuple(sorted(faults, key=lambda each: (each.onset, each.device))),
        tickets=tuple(tickets),
        visits=tuple(visits),
        episodes=tuple(episodes),
        confounders=tuple(spells),
        control=tuple(sorted(control, key=lambda each: (each.onset, each.device))),
        peaks=tuple(
            DailyPeaks.of(kind, tuple(fleet[i].device for i in places), ("a", "b", "c"), peaks[places])
            for kind, places in split.items()
        ),
        messages=devices * days * 48,
        readings=devices * days * 1440,
    )


def _mended(fault: FaultRecord, at: int, by: str, visit: str | None = None) -> FaultRecord:
    return FaultRecord(
        device=fault.device,
        kind=fault.kind,
        model=fault.model,
        family=fault.family,
        fault=fault.fault,
        severity=fault.severity,
        onset=fault.onset,
        failure=fault.failure,
        repaired=at,
        by=by,
        reported=fault.failure + DAY // 4 if by == "breakdown" else None,
        visits=(visit,) if visit else (),
    )


def _episode(ref: str, device: str, family: str, at: int) -> EpisodeRecord:
    return EpisodeRecord(
        id=ref,
        device=device,
        family=family,
        opened=at,
        told=at,
        onset=at - DAY,
        severity=3,
        score=0.999,
        revisions=4,
        ticket=ref,
    )
