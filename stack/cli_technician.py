"""`wellkept technician` and `wellkept area`: what planning knows of people and places."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from servicedesk.errors import UnknownError
from servicedesk.model import Certificate, PartStock, Technician, Window
from servicedesk.travel import Place
from stack.cli_desk import AsJson, DataDir
from stack.console import database, emit
from stack.settings import DEFAULT_DATA_DIR
from storage.desk import PgDesk
from storage.desk_planning import register_absence, register_area, register_certificate, register_home, stock_van
from storage.pool import Connection

technician_app = typer.Typer(help="Skills, absences, homes and vans of technicians.", no_args_is_help=True)

Org = Annotated[str, typer.Option(help="Organisation.")]
Name = Annotated[str, typer.Argument(help="The technician's name, as `wellkept technician list` shows it.")]
Latitude = Annotated[float, typer.Argument(min=-90, max=90, help="Degrees north (WGS 84).")]
Longitude = Annotated[float, typer.Argument(min=-180, max=180, help="Degrees east (WGS 84).")]
_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M"]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A day: 2027-03-31.")]


@technician_app.command("list", epilog="Example: wellkept technician list --org acme --json")
def technician_list(*, org: Org = "demo", data_dir: DataDir = DEFAULT_DATA_DIR, as_json: AsJson = False) -> None:
    """Active technicians with their skills, the last days of these, homes and vans."""
    with database(data_dir) as conn:
        found = PgDesk(conn).people.technicians(org)
    emit([_row(each, as_json=as_json) for each in found], as_json=as_json)


@technician_app.command("skill", epilog='Example: wellkept technician skill "Li Qiang" cooling --until 2027-03-31')
def technician_skill(
    name: Name,
    skill: Annotated[str, typer.Argument(help="A skill that the technician has.")],
    *,
    until: Day = None,
    trained: Day = None,
    course: Annotated[str, typer.Option(help="What was attended.")] = "",
    org: Org = "demo",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Enter the training record of a skill, or renew it; after its last day it does not count."""

    def change(conn: Connection, who: Technician) -> None:
        if skill not in who.skills:
            raise UnknownError(f"{name} has not got the skill {skill!r}; there are {', '.join(who.skills)}")
        record = Certificate(skill=skill, valid_until=_day(until), trained=_day(trained), course=course)
        register_certificate(conn, who.id, record)

    _changed(org, name, change, data_dir=data_dir, as_json=as_json)


@technician_app.command("away", epilog='Example: wellkept technician away "Li Qiang" --from 2026-12-01 --to 2026-12-08')
def technician_away(
    name: Name,
    *,
    start: Annotated[datetime, typer.Option("--from", formats=_FORMATS, help="From.")],
    end: Annotated[datetime, typer.Option("--to", formats=_FORMATS, help="To, not included.")],
    reason: Annotated[str, typer.Option(help="For people.")] = "",
    org: Org = "demo",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Enter an absence, by the technician's clock. Visits promised in it stay: a person must look at them."""
    if end <= start:
        raise typer.BadParameter("it ends before it begins", param_hint="--to")

    def change(conn: Connection, who: Technician) -> None:
        zone = ZoneInfo(who.tz)
        away = Window(start.replace(tzinfo=zone).astimezone(UTC), end.replace(tzinfo=zone).astimezone(UTC))
        register_absence(conn, who.id, away, reason)

    _changed(org, name, change, data_dir=data_dir, as_json=as_json)


@technician_app.command("home", epilog='Example: wellkept technician home "Li Qiang" 31.23 121.47')
def technician_home(
    name: Name,
    latitude: Latitude,
    longitude: Longitude,
    *,
    org: Org = "demo",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Enter where a technician's day begins and ends."""

    def change(conn: Connection, who: Technician) -> None:
        register_home(conn, who.id, Place(latitude, longitude))

    _changed(org, name, change, data_dir=data_dir, as_json=as_json)


@technician_app.command("van", epilog='Example: wellkept technician van "Li Qiang" RF-FAN-120 2')
def technician_van(
    name: Name,
    sku: Annotated[str, typer.Argument(help="The part.")],
    pieces: Annotated[int, typer.Argument(min=0, help="How many lie in the van, those put aside included.")],
    *,
    org: Org = "demo",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Enter what lies in a technician's van."""

    def change(conn: Connection, who: Technician) -> None:
        stock_van(conn, who.id, PartStock(org=org, sku=sku, on_hand=pieces))

    _changed(org, name, change, data_dir=data_dir, as_json=as_json)


def area(
    name: Annotated[str, typer.Argument(help="As households and technicians name it.")],
    latitude: Latitude,
    longitude: Longitude,
    *,
    org: Org = "demo",
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Enter the centre of an area: there its households without coordinates count as living."""
    with database(data_dir) as conn:
        register_area(conn, org, name, Place(latitude, longitude))
    emit({"area": name, "latitude": latitude, "longitude": longitude}, as_json=as_json)


def _changed(
    org: str, name: str, change: Callable[[Connection, Technician], None], *, data_dir: DataDir, as_json: bool
) -> None:
    """Make a change to a technician and show the result."""
    with database(data_dir) as conn:
        people = PgDesk(conn).people
        change(conn, _named(people.technicians(org), name))
        after = _named(people.technicians(org), name)
    emit(_row(after, as_json=as_json), as_json=as_json)


def _named(people: list[Technician], name: str) -> Technician:
    for each in people:
        if each.name == name:
            return each
    known = ", ".join(each.name for each in people) or "none"
    raise UnknownError(f"no technician is called {name!r}; there are {known}")


def _row(who: Technician, *, as_json: bool) -> dict[str, object]:
    until = {each.skill: each.valid_until for each in who.certificates}
    skills = {skill: until.get(skill) for skill in who.skills}
    words = ", ".join(skill if last is None else f"{skill} (to {last})" for skill, last in skills.items())
    place = f"{who.home.latitude}, {who.home.longitude}" if who.home is not None else None
    return {
        "name": who.name,
        "skills": skills if as_json else words,
        "home": who.home if as_json else place,
        "van": who.van,
        "area": who.area,
    }


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
