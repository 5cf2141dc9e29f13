"""A household's appliances with how they are, what is open, and what is muted; for the pages and for `/v1`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from api.context import Tx
from api.trends import Trend, trend_of
from servicedesk.condition import CaseState, Condition, condition
from servicedesk.household import mutes_of
from servicedesk.level_rows import Silence
from servicedesk.states import TICKET_ENDED, TicketState
from storage.read_desk import TicketView, list_tickets
from storage.read_devices import DeviceView, FindingView, get_finding, list_devices
from storage.read_models import Scope
from telemetry.catalogue import Catalogue, KindSpec
from telemetry.clock import MICROS, to_micros

_MOST = 200


@dataclass(frozen=True, slots=True)
class ApplianceView:
    """An appliance as its owner sees it.

    Attributes:
        cases: that are open, newest first.
        finding: of the newest of them that has one.
        life: remaining life from now, in seconds from and to; None when it is unknown or spent.
        muted: the silence of this appliance that ends last.
        kept_back: how many messages it has kept back.
    """

    device: DeviceView
    kind: KindSpec | None
    condition: Condition
    cases: list[TicketView]
    finding: FindingView | None
    life: tuple[float, float] | None
    muted: Silence | None
    kept_back: int

    def trend(self, tx: Tx, zone: tzinfo) -> Trend | None:
        """Its last weeks."""
        return trend_of(tx.conn, self.device, self.kind, self.finding, tx.now, zone)


def appliances_of(tx: Tx, catalogue: Catalogue, scope: Scope) -> list[ApplianceView]:
    """All of a household's appliances, in the order of their registration."""
    tickets = list_tickets(tx.conn, scope, states=None, after=None, limit=_MOST)
    rows = list_devices(tx.conn, scope, after=0, limit=_MOST)
    return [view_of(tx, catalogue, scope, row, [t for t in tickets if _same(t, row)]) for row in rows]


def view_of(tx: Tx, catalogue: Catalogue, scope: Scope, device: DeviceView, tickets: list[TicketView]) -> ApplianceView:
    """One appliance, of whose cases `tickets` are the newest."""
    kind = catalogue.kinds.get(device.kind)
    open_ = [each for each in tickets if TicketState(each.state) not in TICKET_ENDED]
    named = next((each.finding for each in open_ if each.finding is not None and each.done is None), None)
    finding = get_finding(tx.conn, scope, named) if named is not None else None
    mutes = mutes_of(tx.office, tx.office.desk.people.appliance(device.no), tx.now)
    muted = max(mutes, key=lambda each: each.until or tx.now, default=None)
    return ApplianceView(
        device=device,
        kind=kind,
        condition=condition(
            observed=device.health,
            last=device.last_t,
            registered=device.registered,
            kind=kind,
            cases=[CaseState(state=TicketState(each.state), verified=each.verified) for each in tickets],
            learning=tx.office.policy.learning,
            now=tx.now,
        ),
        cases=open_,
        finding=finding,
        life=_life(tx, finding),
        muted=muted,
        kept_back=0 if muted is None else len(tx.office.desk.levels.reach.suppressions(muted.id)),
    )


def tickets_of_device(tx: Tx, scope: Scope, device: DeviceView) -> list[TicketView]:
    """An appliance's newest cases."""
    return [each for each in list_tickets(tx.conn, scope, states=None, after=None, limit=_MOST) if _same(each, device)]


def _same(ticket: TicketView, device: DeviceView) -> bool:
    return (ticket.org, ticket.device) == (device.org, device.device)


def _life(tx: Tx, finding: FindingView | None) -> tuple[float, float] | None:
    if finding is None or finding.life_low is None or finding.life_high is None:
        return None
    passed = (to_micros(tx.now) - to_micros(finding.observed)) / MICROS
    low, high = finding.life_low - passed, finding.life_high - passed
    return (max(0.0, low), high) if high > 0 else None
