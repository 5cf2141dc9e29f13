"""Commands about who and what is registered: tokens, staff, devices, dead letters."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from stack.console import database, emit, running
from stack.embedded_nats import EmbeddedNats
from stack.settings import DEFAULT_DATA_DIR, Settings
from storage import access, registry
from storage.access import Role
from storage.clock_store import read_clock
from storage.desk import PgDesk
from storage.pool import Connection
from telemetry.catalogue import load_catalogue
from telemetry.clock import production_clock, system_wall, to_datetime
from telemetry.errors import WellkeptError
from telemetry.identity import parse_key

DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="WELLKEPT_DATA_DIR", help="Where the product keeps its data.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON value instead of text.")]

token_app = typer.Typer(help="Bearer tokens of the API.", no_args_is_help=True)
staff_app = typer.Typer(help="People of the service desk.", no_args_is_help=True)
device_app = typer.Typer(help="The registry of devices.", no_args_is_help=True)


@token_app.command("new", epilog="Example: wellkept token new --role dispatcher --label console")
def token_new(
    *,
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.READ_ONLY,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    org: Annotated[str | None, typer.Option(help="Limit it to one organisation.")] = None,
    area: Annotated[list[str] | None, typer.Option(help="Limit it to an area of households; may be repeated.")] = None,
    technician: Annotated[str | None, typer.Option(help="Technician it speaks for, by name.")] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Valid for so many days.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Make a bearer token and print it once."""
    if role is Role.OWNER:
        raise typer.BadParameter("owners' tokens are the links in their notices", param_hint="--role")
    _check_technician(role, technician)
    now = to_datetime(system_wall())
    expires = now + timedelta(days=days) if days else None
    with database(data_dir) as conn:
        own = None if technician is None else str(_technician_id(conn, org, technician))
        secret = access.create_token(
            conn, role, now=now, label=label, org=org, technician=own, areas=area, expires=expires
        )
    emit({"token": secret, "role": role.value, "expires": expires} if as_json else secret, as_json=as_json)


@token_app.command("list", epilog="Example: wellkept token list --json")
def token_list(*, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """List tokens, without their secrets."""
    with database(data_dir) as conn:
        rows = access.list_tokens(conn)
    keep = ("id", "label", "role", "org", "areas", "technician", "created", "expires", "revoked")
    emit([{key: asdict(row)[key] for key in keep} for row in rows], as_json=as_json)


@staff_app.command("new", epilog="Example: wellkept staff new dora --role dispatcher")
def staff_new(
    *,
    login: Annotated[str, typer.Argument(help="Lower-case login.")],
    name: Annotated[str | None, typer.Option(help="Name on the pages.")] = None,
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.DISPATCHER,
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
    org: Annotated[str | None, typer.Option(help="Limit them to one organisation.")] = None,
    area: Annotated[
        list[str] | None, typer.Option(help="Limit them to an area of households; may be repeated.")
    ] = None,
    technician: Annotated[str | None, typer.Option(help="Who they are on the road, by the technician's name.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Enter a person, or give a known login a new password; the password is printed once."""
    _check_technician(role, technician)
    with database(data_dir) as conn:
        own = None if technician is None else _technician_id(conn, org, technician)
        password = access.create_staff(
            conn,
            login,
            now=to_datetime(system_wall()),
            name=name,
            role=role,
            lang=lang,
            org=org,
            areas=area,
            technician=own,
        )
    emit({"login": login, "password": password}, as_json=as_json)


def _check_technician(role: Role, technician: str | None) -> None:
    if (technician is not None) != (role is Role.TECHNICIAN):
        raise typer.BadParameter("role technician, and only it, names its technician", param_hint="--technician")


def _technician_id(conn: Connection, org: str | None, name: str) -> UUID:
    known = PgDesk(conn).people.technicians(org or Settings().org)
    found = next((each for each in known if each.name == name), None)
    if found is None:
        names = ", ".join(each.name for each in known) or "none yet"
        raise WellkeptError(f"there is no technician {name!r}; active ones: {names}")
    return found.id


@device_app.command(
    "add", epilog="Example: wellkept device add acme/fridge-7 refrigerator --lot 2025-31 --room Kitchen"
)
def device_add(
    *,
    device: Annotated[str, typer.Argument(help="ORG/DEVICE, as in topics.")],
    kind: Annotated[str, typer.Argument(help="A kind of the catalogue.")],
    model: Annotated[str | None, typer.Option(help="A model of that kind.")] = None,
    serial: Annotated[str | None, typer.Option(help="On the plate.")] = None,
    lot: Annotated[str | None, typer.Option(help="Production lot, on the plate or in the maker's list.")] = None,
    room: Annotated[str | None, typer.Option(help="Where it stands.")] = None,
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Register a device; with the embedded broker, give it a user of its own and print its address once."""
    key = parse_key(device)
    catalogue = load_catalogue()
    if kind not in catalogue:
        raise typer.BadParameter(f"{kind!r} is not in the catalogue: {', '.join(sorted(catalogue.kinds))}")
    if model is not None and model not in catalogue[kind].models:
        raise typer.BadParameter(f"{model!r} is no model of {kind}: {', '.join(sorted(catalogue[kind].models))}")
    with database(data_dir) as conn:
        clock = read_clock(conn) or production_clock()
        registered = to_datetime(clock.fleet_at(system_wall()))
        row = registry.register_device(
            conn, key, kind, registered=registered, model=model, serial=serial, room=room, lang=lang, lot=lot
        )
    answer: dict[str, object] = {"no": row.no, "device": str(key), "kind": row.kind}
    if not Settings().mqtt_url and not Settings().database_url:
        running(data_dir)
        server = EmbeddedNats.attach(data_dir / "nats")
        server.add_devices([key])
        answer["mqtt"] = server.device_url(key)
    emit(answer, as_json=as_json)


@device_app.command("list", epilog="Example: wellkept device list --json")
def device_list(*, data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """List registered devices."""
    with database(data_dir) as conn:
        rows = registry.list_devices(conn)
    emit(
        [
            {
                "no": r.no,
                "device": str(r.key),
                "kind": r.kind,
                "model": r.model,
                "lot": r.lot,
                "room": r.room,
                "since": r.registered,
            }
            for r in rows
        ],
        as_json=as_json,
    )


def check_known(device: str, data_dir: Path) -> None:
    """Make sure that a device is registered.

    Raises:
        WellkeptError: it is not.
    """
    with database(data_dir) as conn:
        if registry.find_device(conn, parse_key(device)) is None:
            raise WellkeptError(f"{device} is not registered; enter it with `wellkept device add {device} KIND`")
