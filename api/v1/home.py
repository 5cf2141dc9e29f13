"""A household and what is its own: appliances, addresses, wishes, links; a repair's report; how far a quote got."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from api.appliances import ApplianceView, tickets_of_device, view_of
from api.auth import CaseReader, Confirmer, PeopleReader, Principal, Reader, TicketMover
from api.context import Context, InContext, InTx, Tx
from api.i18n import zone_of
from api.problems import invalid, not_found
from api.reads import named, note_read
from api.said import said
from api.v1.home_models import (
    AddressesOut,
    AddressIn,
    AddressOut,
    ConditionOut,
    FittedOut,
    HomeLinkOut,
    HomeLinksOut,
    LearningOut,
    LifeOut,
    MuteIn,
    MuteOut,
    NewLinkOut,
    NotFixedIn,
    ReceiptOut,
    RemovalIn,
    RemovalOut,
    RepairReportOut,
    ReportVisitOut,
    SentLinkOut,
    TrendOut,
    TrendPointOut,
    WhichAddressIn,
    WishesIn,
    WishesOut,
)
from api.v1.models import TicketDetailOut
from api.v1.money import bills as bills_of
from api.v1.money import read_quote
from api.v1.money_models import QuoteOut, WordsOut
from api.v1.router import V1Router, changes
from api.v1.service import TICKET, owner_or_desk, read_ticket
from servicedesk.addresses import AddressError
from servicedesk.home_rows import RemovalReason
from servicedesk.household import (
    MuteError,
    add_chat,
    add_mail,
    drop_way,
    mute,
    reached,
    remove_appliance,
    send_home_link,
    set_wishes,
    try_first,
    unmute,
)
from servicedesk.model import Household
from servicedesk.renewing import renew_quote
from servicedesk.reporting import guaranteed_until, not_fixed
from servicedesk.states import VisitState
from storage.read_desk import visits_of
from storage.read_devices import DeviceView, get_device
from storage.read_models import Scope, household_in
from telemetry.clock import to_datetime

router = V1Router()


@router.get("/devices/{org}/{device}/condition", tags=["devices"])
def device_condition(org: str, device: str, who: CaseReader, tx: InTx, context: InContext) -> ConditionOut:
    """How an appliance is, in one word: silence is never healthy, and an open case outweighs it."""
    return _condition_out(_view(tx, context, who, _device(tx, who, org, device)))


@router.get("/devices/{org}/{device}/trend", tags=["devices"])
def device_trend(org: str, device: str, who: CaseReader, tx: InTx, context: InContext) -> TrendOut:
    """Its last four weeks, a point a day: the signal of the open finding, else its power against its own past."""
    view = _view(tx, context, who, _device(tx, who, org, device))
    home = view.device.household
    row = tx.office.desk.people.household(home) if home is not None else None
    trend = view.trend(tx, zone_of(row.tz if row is not None else "UTC"))
    if trend is None:
        return TrendOut(device=f"{org}/{device}", title=None, unit="", finding=None, points=[])
    return TrendOut(
        device=f"{org}/{device}",
        title=WordsOut(zh=trend.title.zh, en=trend.title.en),
        unit=trend.unit.en,
        finding=trend.finding,
        points=[TrendPointOut(t=to_datetime(p.t), value=p.value, low=p.low, high=p.high) for p in trend.points],
    )


@router.post("/devices/{org}/{device}/mute", tags=["devices"])
def device_mute(  # noqa: PLR0917  (named by FastAPI)
    org: str, device: str, wanted: MuteIn, who: Confirmer, tx: InTx, context: InContext
) -> ConditionOut:
    """Keep an appliance's messages back until a moment; they come then. What is about safety comes at once."""
    row = _device(tx, who, org, device)
    try:
        mute(tx.office, tx.office.desk.people.appliance(row.no), wanted.until, tx.now, owner_or_desk(who))
    except MuteError as cause:
        raise invalid(said("a mute ends within three months"), "#/until") from cause
    return _condition_out(_view(tx, context, who, row))


@router.post("/devices/{org}/{device}/unmute", tags=["devices"])
def device_unmute(org: str, device: str, who: Confirmer, tx: InTx, context: InContext) -> ConditionOut:
    """End an appliance's own mute. Twice is the same as once."""
    row = _device(tx, who, org, device)
    unmute(tx.office, tx.office.desk.people.appliance(row.no), tx.now)
    return _condition_out(_view(tx, context, who, row))


@router.post("/devices/{org}/{device}/removal", tags=["devices"])
def device_removal(org: str, device: str, wanted: RemovalIn, who: Confirmer, tx: InTx) -> RemovalOut:
    """Take an appliance out of its household: open cases end, nothing is opened any more, readings stay."""
    row = _device(tx, who, org, device)
    if who.scope.ticket is not None:
        raise not_found("device")
    appliance = tx.office.desk.people.appliance(row.no)
    ended = remove_appliance(tx.office, appliance, RemovalReason(wanted.why), tx.now, named(who))
    return RemovalOut(device=f"{org}/{device}", removed=tx.now, ended=list(ended))


@router.get("/households/{household}/addresses", tags=["privacy"])
def addresses(household: UUID, who: PeopleReader, tx: InTx) -> AddressesOut:
    """The ways to a household in the order in which they are tried, masked."""
    row = _household(tx, who, household)
    note_read(tx, who, "household addresses", row.id)
    return _addresses_out(tx, row)


@router.post("/households/{household}/addresses", tags=["privacy"], status_code=201)
def address_new(household: UUID, given: AddressIn, who: Confirmer, tx: InTx) -> AddressesOut:
    """Give a household an e-mail address, or a service by its Apprise URL; six at most."""
    row = _household(tx, who, household)
    try:
        if given.mail is not None:
            add_mail(tx.office, row.id, given.mail, tx.now, named(who))
        else:
            add_chat(tx.office, row.id, given.url or "", tx.now, named(who))
    except AddressError as cause:
        pointer = "#/mail" if given.mail is not None else "#/url"
        detail = said("nothing can be sent there, it is there already, or there are six")
        raise invalid(detail, pointer) from cause
    return _addresses_out(tx, row)


@router.post("/households/{household}/addresses/first", tags=["privacy"])
def address_first(household: UUID, which: WhichAddressIn, who: Confirmer, tx: InTx) -> AddressesOut:
    """Let an address be tried before all others."""
    row = _household(tx, who, household)
    try_first(tx.office, row.id, which.address, tx.now, named(who))
    return _addresses_out(tx, row)


@router.post("/households/{household}/addresses/drop", tags=["privacy"])
def address_drop(household: UUID, which: WhichAddressIn, who: Confirmer, tx: InTx) -> AddressesOut:
    """Take an address away; the last one stays (409)."""
    row = _household(tx, who, household)
    drop_way(tx.office, row.id, which.address, tx.now, named(who))
    return _addresses_out(tx, row)


@router.get("/households/{household}/wishes", tags=["privacy"])
def wishes(household: UUID, who: PeopleReader, tx: InTx) -> WishesOut:
    """Language and quiet hours."""
    return _wishes_out(_household(tx, who, household))


@router.post("/households/{household}/wishes", tags=["privacy"])
def wishes_change(household: UUID, given: WishesIn, who: Confirmer, tx: InTx) -> WishesOut:
    """Change them; it holds from the next message on."""
    row = _household(tx, who, household)
    begin, end = given.quiet_from, given.quiet_to
    quiet = None if begin is None or end is None else (begin.replace(tzinfo=None), end.replace(tzinfo=None))
    return _wishes_out(set_wishes(tx.office, row.id, tx.now, named(who), lang=given.lang, quiet=quiet))


@router.get("/households/{household}/links", tags=["privacy"])
def home_links(household: UUID, who: TicketMover, tx: InTx) -> HomeLinksOut:
    """The links that open a household's own pages, without their secrets."""
    return _links_out(tx, _household(tx, who, household))


@router.post("/households/{household}/links", tags=["privacy"], status_code=201)
def home_link_new(household: UUID, who: TicketMover, tx: InTx) -> NewLinkOut:
    """Make a household another link of its own: to be handed to it, and to nobody else."""
    row = _household(tx, who, household)
    note_read(tx, who, "household link", row.id)
    return NewLinkOut(household=row.id, url=tx.office.desk.home.link(row.id, tx.now))


@router.post("/households/{household}/links/end", tags=["privacy"])
def home_links_end(household: UUID, who: TicketMover, tx: InTx) -> HomeLinksOut:
    """End all links of a household; those of its cases stay."""
    row = _household(tx, who, household)
    tx.office.desk.home.revoke_links(row.id, tx.now)
    return _links_out(tx, row)


@router.post("/tickets/{ticket}/home-link", tags=["privacy"])
def home_link_send(ticket: UUID, who: Confirmer, tx: InTx) -> SentLinkOut:
    """Send the household of a ticket its own link, to the addresses that are known; at most one an hour."""
    read_ticket(tx, who, ticket)
    return SentLinkOut(sent=send_home_link(tx.office, tx.office.desk.tickets.get(ticket), tx.now) is not None)


@router.post("/tickets/{ticket}/not-fixed", tags=["tickets"])
@changes(TICKET)
def ticket_not_fixed(ticket: UUID, given: NotFixedIn, who: Confirmer, tx: InTx) -> TicketDetailOut:
    """The repair did not help: the case is taken up again within its guarantee, without a second call-out fee."""
    read_ticket(tx, who, ticket)
    not_fixed(tx.office, ticket, given.words, tx.now)
    return read_ticket(tx, who, ticket)


@router.get("/tickets/{ticket}/report", tags=["tickets"])
def ticket_report(ticket: UUID, who: CaseReader, tx: InTx) -> RepairReportOut:
    """What was found and done, parts with their serial numbers, guarantee, bill, proof and rating."""
    read_ticket(tx, who, ticket)
    desk = tx.office.desk
    row, survey = desk.tickets.get(ticket), desk.care.surveys.get(ticket)
    visits = [each for each in visits_of(tx.conn, who.scope, ticket) if each.state == VisitState.DONE]
    bills = bills_of(ticket, who, tx)
    return RepairReportOut(
        ticket=ticket,
        state=row.state,
        visits=[
            ReportVisitOut(
                visit=each.id,
                technician=each.technician_name,
                arrived=each.arrived,
                finished=each.finished,
                outcome=each.outcome,
                cause=each.cause,
                parts=each.parts,
            )
            for each in visits
        ],
        fitted=[
            FittedOut(sku=each.sku, serial=each.serial, replaced=each.replaced)
            for each in desk.money.orders.fitted([each.id for each in visits])
        ],
        photos=[each.id for each in desk.care.help.photos(ticket)],
        done=row.done,
        verified=row.verified,
        guarantee_until=guaranteed_until(tx.office, row),
        bills=bills,
        total=sum((each.total for each in bills), Decimal(0)),
        rating=survey.score if survey is not None else None,
    )


@router.post("/quotes/{quote}/renewal", tags=["prices"], status_code=201)
def quote_renewal(quote: UUID, who: Confirmer, tx: InTx) -> QuoteOut:
    """Make an expired quote anew, at today's prices. Answers with the new one."""
    read_quote(tx, who, quote)
    made = renew_quote(tx.office, quote, tx.now, owner_or_desk(who))
    return read_quote(tx, who, made.id)


@router.get("/quotes/{quote}/receipt", tags=["prices"])
def quote_receipt(quote: UUID, who: Reader, tx: InTx) -> ReceiptOut:
    """How far a quote got on its way to the owner."""
    read_quote(tx, who, quote)
    desk = tx.office.desk
    row = next(each for each in desk.quotes.of_ticket(desk.quotes.ticket_of(quote)) if each.id == quote)
    notice = desk.notices.get(row.notice) if row.notice is not None else None
    return ReceiptOut(
        quote=quote,
        made=row.made,
        channel=notice.channel if notice is not None else None,
        sent=notice.sent if notice is not None else None,
        delivered=notice.delivered if notice is not None else None,
        seen=notice.opened if notice is not None else None,
        bounced=notice.bounced if notice is not None else None,
        decided=row.decided,
    )


def _device(tx: Tx, who: Principal, org: str, device: str) -> DeviceView:
    row = get_device(tx.conn, who.scope, org, device)
    if row is None:
        raise not_found("device")
    return row


def _view(tx: Tx, context: Context, who: Principal, row: DeviceView) -> ApplianceView:
    """The appliance with the cases that the asker may see."""
    scope = who.scope if row.household is None or who.scope.ticket is not None else Scope(household=row.household)
    return view_of(tx, context.catalogue, scope, row, tickets_of_device(tx, scope, row))


def _household(tx: Tx, who: Principal, household: UUID) -> Household:
    """The household, of staff or of its own link; the link of a single case does not open it."""
    found = tx.office.desk.people.household(household)
    if found is None or not household_in(tx.conn, who.scope, household):
        raise not_found("household")
    return found


def _condition_out(view: ApplianceView) -> ConditionOut:
    state, muted = view.condition, view.muted
    return ConditionOut(
        device=f"{view.device.org}/{view.device.device}",
        health=state.health,
        silent_since=state.silent_since,
        learning=None if state.day is None or state.of is None else LearningOut(day=state.day, of=state.of),
        remaining_life=None if view.life is None else LifeOut(low_s=view.life[0], high_s=view.life[1]),
        muted=None if muted is None or muted.until is None else MuteOut(until=muted.until, kept_back=view.kept_back),
        tickets=[each.id for each in view.cases],
    )


def _addresses_out(tx: Tx, row: Household) -> AddressesOut:
    return AddressesOut(
        household=row.id,
        items=[
            AddressOut(id=each.id, kind=each.kind, shown=each.shown, bounced=each.bounced, own=each.own)
            for each in reached(tx.office, row.id)
        ],
    )


def _wishes_out(row: Household) -> WishesOut:
    return WishesOut(household=row.id, lang=row.lang, quiet_from=row.quiet_from, quiet_to=row.quiet_to, tz=row.tz)


def _links_out(tx: Tx, row: Household) -> HomeLinksOut:
    return HomeLinksOut(
        household=row.id,
        items=[
            HomeLinkOut(id=each.id, created=each.created, expires=each.expires, revoked=each.revoked)
            for each in tx.office.desk.home.links(row.id)
        ],
    )
