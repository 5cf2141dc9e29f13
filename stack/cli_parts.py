"""`wellkept part` and `wellkept way`: prices and stock of parts, and other ways of repair than a visit."""

from __future__ import annotations

import random
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from servicedesk.partners import LOOK_BACK, card_of
from servicedesk.way_rows import Way, WayKind
from stack.cli_desk import AsJson, DataDir
from stack.console import database, emit
from stack.settings import DEFAULT_DATA_DIR
from storage.clock_store import read_clock
from storage.desk import PgDesk
from storage.desk_money import PartRow, list_parts, set_part
from storage.pool import Connection
from telemetry.catalogue import load_catalogue
from telemetry.clock import production_clock, system_wall, to_datetime
from telemetry.ids import Ids

part_app = typer.Typer(help="Prices and stock of spare parts.", no_args_is_help=True)
way_app = typer.Typer(help="Workshops, service points and partners.", no_args_is_help=True)
Org = Annotated[str, typer.Option(help="Organisation.")]
Several = Annotated[list[str] | None, typer.Option(help="May be repeated; all of them without it.")]


@part_app.command("list", epilog="Example: wellkept part list --org acme --json")
def part_list(*, org: Org = "demo", data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Parts in stock, what is reserved or on order, own prices, and below what they are ordered again."""
    with database(data_dir) as conn:
        emit([_part(row) for row in list_parts(conn, org)], as_json=as_json)


@part_app.command("set", epilog="Example: wellkept part set RF-FAN-120 --price 95.00 --least 5 --on-hand 20")
def part_set(
    sku: Annotated[str, typer.Argument(help="A part of the catalogue.")],
    *,
    price: Annotated[str | None, typer.Option(help="Its own price, tax included; else the band's share.")] = None,
    least: Annotated[int | None, typer.Option(min=1, help="Ordered again below so many free pieces.")] = None,
    on_hand: Annotated[int | None, typer.Option(min=0, help="Pieces in the depot after a count.")] = None,
    org: Org = "demo",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Set a part's price, its count, or when it is ordered again; what is not named stays."""
    known = load_catalogue().skus()
    if sku not in known:
        raise typer.BadParameter(f"no part of the catalogue is called {sku!r}: {', '.join(known)}")
    try:
        sum_ = None if price is None else Decimal(price)
    except InvalidOperation as cause:
        raise typer.BadParameter(f"{price!r} is not a sum; write 95.00", param_hint="--price") from cause
    if sum_ is not None and not (sum_.is_finite() and sum_ >= 0):
        raise typer.BadParameter("a price is not below zero", param_hint="--price")
    with database(data_dir) as conn:
        set_part(conn, org, sku, price=sum_, least=least, on_hand=on_hand)
        found = next(row for row in list_parts(conn, org) if row.sku == sku)
    emit(_part(found), as_json=as_json)


@way_app.command("list", epilog="Example: wellkept way list --org acme --json")
def way_list(*, org: Org = "demo", data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Workshops, service points and partners with what they serve."""
    with database(data_dir) as conn:
        emit([_way(row) for row in PgDesk(conn).ways.of_org(org)], as_json=as_json)


@way_app.command("cards", epilog="Example: wellkept way cards --org acme --json")
def way_cards(*, org: Org = "demo", data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Partners' scorecards of the last year: below the bar nobody is sent to them unasked."""
    with database(data_dir) as conn:
        desk, now = PgDesk(conn), _fleet_now(conn)
        partners = [each for each in desk.ways.of_org(org) if each.kind is WayKind.PARTNER]
        cards = [(each.name, card_of(desk.ways.past(each.id, now - LOOK_BACK))) for each in partners]
    rows = [
        {
            "partner": name,
            "cases": card.cases,
            "fixed_at_once": card.fixed_at_once.value,
            "fixed_at_once_ci95": card.fixed_at_once.interval,
            "no_fault_found": card.no_fault_found.value,
            "repeat": card.repeat.value,
            "rating": card.rating,
            "below_bar": list(card.below),
        }
        for name, card in cards
    ]
    if as_json:
        emit(rows, as_json=True)
        return
    emit(
        [{**row, "below_bar": ", ".join(card.below) or "no"} for row, (_, card) in zip(rows, cards, strict=True)],
        as_json=False,
    )


@way_app.command("add", epilog='Example: wellkept way add "North Gate" service_point --kind refrigerator --area North')
def way_add(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    what: Annotated[WayKind, typer.Argument(help="mail_in, service_point or partner.")],
    *,
    kind: Several = None,
    area: Several = None,
    skill: Several = None,
    address: Annotated[str, typer.Option(help="Where it is.")] = "",
    phone: Annotated[str, typer.Option(help="Where it answers.")] = "",
    hours: Annotated[str, typer.Option(help="When it is open.")] = "",
    lead_days: Annotated[int, typer.Option(min=0, help="Workdays until it can begin.")] = 1,
    work_days: Annotated[int, typer.Option(min=0, help="Workdays that it takes, both ways included.")] = 5,
    org: Org = "demo",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Enter a workshop, a service point or a partner; without --kind, --area or --skill it serves all of them."""
    made = Way(
        id=Ids(random.SystemRandom()).at(system_wall()),
        org=org,
        kind=what,
        name=name,
        kinds=tuple(kind or ()),
        areas=tuple(area or ()),
        skills=tuple(skill or ()),
        address=address,
        phone=phone,
        hours=hours,
        lead_days=lead_days,
        work_days=work_days,
    )
    with database(data_dir) as conn:
        PgDesk(conn).ways.register(made)
    emit(_way(made), as_json=as_json)


def _part(row: PartRow) -> dict[str, object]:
    return {
        "sku": row.sku,
        "on_hand": row.on_hand,
        "reserved": row.reserved,
        "on_order": row.on_order,
        "arrives": None if row.arrives is None else row.arrives.isoformat(),
        "least": row.least,
        "price": None if row.price is None else str(row.price),
    }


def _way(row: Way) -> dict[str, object]:
    return {
        "id": str(row.id),
        "way": str(row.kind),
        "name": row.name,
        "kinds": list(row.kinds),
        "areas": list(row.areas),
        "skills": list(row.skills),
        "lead_days": row.lead_days,
        "work_days": row.work_days,
    }


def _fleet_now(conn: Connection) -> datetime:
    return to_datetime((read_clock(conn) or production_clock()).fleet_at(system_wall()))
