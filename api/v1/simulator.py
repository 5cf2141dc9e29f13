"""`/v1/simulator`: hands on the simulated fleet that this server knows, and the pace of its clock."""

from __future__ import annotations

from api.context import Context, InContext, InTx, Tx
from api.problems import problem
from api.reads import named
from api.said import said
from api.simulator import ClockState, read_clock_state, read_fleet, steer, wish
from api.v1.lab import LabReader, LabSteerer, lab_device
from api.v1.lab_models import (
    ClearIn,
    FaultIn,
    FleetOut,
    GrowingOut,
    NetworkIn,
    PaceIn,
    PaceOut,
    RebootIn,
    SimulatedOut,
)
from api.v1.router import V1Router
from storage.read_models import EVERYTHING
from telemetry.steering import Clear, Inject, Reboot, Request, SetNetwork, Status

router = V1Router()


@router.get("/simulator", tags=["simulator"])
def simulator(_: LabReader, tx: InTx, context: InContext) -> FleetOut:
    """The fleet, what is developing in it now, and its clock."""
    fleet, clock = read_fleet(context), _pace(read_clock_state(tx))
    if fleet is None:
        return FleetOut(running=False, clock=clock)
    return FleetOut(
        running=True,
        scenario=fleet.scenario,
        seed=fleet.seed,
        devices=fleet.devices,
        fleet=fleet.fleet,
        messages=fleet.messages,
        unreceipted=fleet.unreceipted,
        offline=fleet.offline,
        connected=fleet.connected,
        developing=[
            GrowingOut(
                device=each.device,
                fault=each.fault,
                family=each.family,
                onset=each.onset,
                failure=each.failure,
                level=each.level,
            )
            for each in fleet.developing
        ],
        clock=clock,
    )


@router.get("/simulator/{org}/{device}", tags=["simulator"])
def simulated_device(org: str, device: str, who: LabReader, tx: InTx, context: InContext) -> SimulatedOut:
    """One device of the fleet: its module, its link, its faults."""
    return _device(tx, context, who, org, device, None)


@router.post("/simulator/{org}/{device}/faults", tags=["simulator"])
def simulated_fault(  # noqa: PLR0917  (named by FastAPI)
    org: str,
    device: str,
    given: FaultIn,
    who: LabSteerer,
    tx: InTx,
    context: InContext,
) -> SimulatedOut:
    """Let a fault begin now."""
    order = Inject(device=f"{org}/{device}", fault=given.fault, lead_days=given.lead_days)
    return _device(tx, context, who, org, device, order)


@router.post("/simulator/{org}/{device}/clearings", tags=["simulator"])
def simulated_clearing(  # noqa: PLR0917  (named by FastAPI)
    org: str,
    device: str,
    given: ClearIn,
    who: LabSteerer,
    tx: InTx,
    context: InContext,
) -> SimulatedOut:
    """Undo a fault, or all, without a visit."""
    return _device(tx, context, who, org, device, Clear(device=f"{org}/{device}", fault=given.fault))


@router.post("/simulator/{org}/{device}/network", tags=["simulator"])
def simulated_network(  # noqa: PLR0917  (named by FastAPI)
    org: str,
    device: str,
    given: NetworkIn,
    who: LabSteerer,
    tx: InTx,
    context: InContext,
) -> SimulatedOut:
    """Give a device another link; fields that are not named stay."""
    return _device(tx, context, who, org, device, SetNetwork(device=f"{org}/{device}", values=given.values or None))


@router.post("/simulator/{org}/{device}/reboots", tags=["simulator"])
def simulated_reboot(  # noqa: PLR0917  (named by FastAPI)
    org: str,
    device: str,
    given: RebootIn,
    who: LabSteerer,
    tx: InTx,
    context: InContext,
) -> SimulatedOut:
    """Restart a device's module."""
    order = Reboot(device=f"{org}/{device}", fw=given.fw, spool_lost=given.spool_lost)
    return _device(tx, context, who, org, device, order)


@router.post("/simulator/network", tags=["simulator"])
def simulator_network(given: NetworkIn, who: LabSteerer, tx: InTx, context: InContext) -> FleetOut:
    """Give every device another link."""
    _everything(who)
    steer(context, SetNetwork(values=given.values or None))
    return simulator(who, tx, context)


@router.post("/simulator/clock", tags=["simulator"])
def simulator_clock(given: PaceIn, who: LabSteerer, tx: InTx) -> PaceOut:
    """Ask for another pace; who paces the clock takes it up within a few seconds."""
    _everything(who)
    return _pace(wish(tx, named(who), speed=given.speed, step_hours=given.step_hours))


def _everything(who: LabSteerer) -> None:
    if who.scope != EVERYTHING:
        raise problem("forbidden", said("the whole fleet is steered by who may see all of it"))


def _device(  # noqa: PLR0917  (what a request has)
    tx: Tx, context: Context, who: LabReader, org: str, device: str, order: Request | None
) -> SimulatedOut:
    row = lab_device(tx, who, context, org, device)
    if order is not None:
        steer(context, order)
    stands = steer(context, Status(device=str(row.key)))
    return SimulatedOut(
        device=stands["device"],
        fw=stands["fw"],
        offline=stands["offline"],
        clock_error_s=stands["clock_error_s"],
        epoch=stands["epoch"],
        next_seq=stands["next_seq"],
        unreceipted=stands["unreceipted"],
        link=stands["link"],
        faults=[each["fault"] for each in stands["faults"]],
    )


def _pace(state: ClockState) -> PaceOut:
    return PaceOut(
        now=state.now,
        speed=state.speed,
        steerable=state.steerable,
        ceiling=state.ceiling,
        until=None if state.wish is None else state.wish.until,
    )
