"""`/v1/tickets/{id}/ways`: mail-in, service points and partners, where nobody comes or the owner prefers them."""

from __future__ import annotations

from uuid import UUID

from api.auth import CaseReader, Confirmer, Principal, TicketMover
from api.context import InContext, InTx, Tx
from api.problems import invalid, not_found
from api.said import said
from api.v1.router import V1Router
from api.v1.service import owner_or_desk, read_ticket
from api.v1.way_models import WayCaseOut, WayIn, WayMoveIn, WayOfferOut, WaysOut
from servicedesk.errors import UnknownError
from servicedesk.office import OWNER
from servicedesk.way_offers import live_case, way_offers
from servicedesk.way_rows import WAY, WayCase, WayState
from servicedesk.ways import move_way, take_way

router = V1Router()


@router.get("/tickets/{ticket}/ways", tags=["tickets"])
def ways(ticket: UUID, who: CaseReader, tx: InTx) -> WaysOut:
    """What is offered instead of a visit, with dates, and what was taken."""
    return _read(tx, who, ticket)


@router.post("/tickets/{ticket}/ways", tags=["tickets"])
def way_take(ticket: UUID, wanted: WayIn, who: Confirmer, tx: InTx) -> WaysOut:
    """Have the appliance mended in another way; a visit that was planned is given up."""
    read_ticket(tx, who, ticket)
    try:
        take_way(tx.office, ticket, wanted.way, tx.now, owner_or_desk(who))
    except UnknownError as cause:
        raise invalid(said("this way does not serve the ticket; ask which do"), "#/way") from cause
    return _read(tx, who, ticket)


@router.post("/tickets/{ticket}/ways/moves", tags=["tickets"])
def way_move(ticket: UUID, move: WayMoveIn, who: TicketMover, tx: InTx, context: InContext) -> WaysOut:
    """The next step of the repair that is under way elsewhere."""
    detail = read_ticket(tx, who, ticket)
    case = live_case(tx.office, ticket)
    if case is None:
        raise not_found("repair in another way")
    faults = context.catalogue[detail.kind].faults if detail.kind in context.catalogue else {}
    if move.cause is not None and move.cause not in faults:
        raise invalid(
            said("'{cause}' is not a fault of a {kind}", cause=move.cause, kind=detail.kind),
            "#/cause",
            allowed=list(faults),
        )
    move_way(
        tx.office,
        case.id,
        WayState(move.to),
        tx.now,
        who.actor(),
        cause=move.cause,
        mended=move.mended,
        note=move.note,
        parts=None if move.parts is None else tuple(move.parts),
        charged=move.charged,
    )
    return _read(tx, who, ticket)


def _read(tx: Tx, who: Principal, ticket: UUID) -> WaysOut:
    read_ticket(tx, who, ticket)
    desk = tx.office.desk
    return WaysOut(
        ticket=ticket,
        offers=[
            WayOfferOut(
                id=each.way.id,
                kind=each.way.kind,
                name=each.way.name,
                address=each.way.address,
                phone=each.way.phone,
                hours=each.way.hours,
                begins=each.begins,
                back=each.back,
            )
            for each in way_offers(tx.office, desk.tickets.get(ticket), tx.now, by_hand=owner_or_desk(who) != OWNER)
        ],
        cases=[_case_out(tx, each) for each in desk.ways.of_ticket(ticket)],
    )


def _case_out(tx: Tx, case: WayCase) -> WayCaseOut:
    way = tx.office.desk.ways.get(case.way)
    return WayCaseOut(
        id=case.id,
        way=case.way,
        kind=way.kind,
        name=way.name,
        state=case.state,
        legal=list(map(str, WAY[case.state])),
        begins=case.begins,
        back=case.back,
        cause=case.cause,
        mended=case.mended,
        note=case.note,
        returned=case.returned,
    )
