"""`wellkept levels` shows and checks what is promised; `wellkept mail-in` takes a mail from the mail server."""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from servicedesk.calendars import last_published
from servicedesk.contact import take_mail
from servicedesk.level_policies import FILE, Levels, load_levels
from servicedesk.mail_in import read_mail
from servicedesk.office import Office
from stack.cli_desk import AsJson, DataDir
from stack.console import database, emit
from stack.errors import StackError
from stack.settings import DEFAULT_DATA_DIR, Settings
from storage.clock_store import read_clock
from storage.desk import PgDesk
from telemetry.catalogue import load_catalogue
from telemetry.clock import production_clock, system_wall, to_datetime
from telemetry.ids import maker

_MOST_BYTES = 25_000_000


def levels(
    *,
    file: Annotated[Path | None, typer.Option(help="Another table than the product's own, to check it.")] = None,
    zone: Annotated[str, typer.Option(help="A household's time zone, for the calendars.")] = "Asia/Shanghai",
    as_json: AsJson = False,
) -> None:
    """Show what is promised: each policy with its targets, its calendar, and what pauses it; refuse a wrong table."""
    found = load_levels(file or FILE)
    rows: list[dict[str, Any]] = [
        {
            "policy": policy.name,
            "title": policy.title.en,
            "targets": {str(severity): _short(target) for severity, target in sorted(policy.targets.items())},
            "calendar": policy.calendar.name,
            "published": _published(found, policy.calendar.name, zone),
            "starts": sorted(policy.starts),
            "meets": sorted(policy.meets),
            "pauses": sorted(policy.pauses),
            "tiers": sorted(policy.tiers),
            "compensation": f"{policy.amount} {policy.currency}" if policy.amount is not None else None,
        }
        for policy in found.policies.values()
    ]
    if as_json:
        emit({"file": file or FILE.name, "zone": zone, "policies": rows}, as_json=True)
        return
    shown = [
        {
            "policy": row["policy"],
            "targets": ", ".join(f"{s}: {t}" for s, t in row["targets"].items()),
            "calendar": row["calendar"] if row["published"] is None else f"{row['calendar']} (to {row['published']})",
            "pauses": ", ".join(row["pauses"]) or None,
            "tiers": ", ".join(row["tiers"]) or None,
            "compensation": row["compensation"],
        }
        for row in rows
    ]
    emit(shown, as_json=False)


def mail_in(
    file: Annotated[Path | None, typer.Argument(help="The mail's file; standard input when absent.")] = None,
    *,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    as_json: AsJson = False,
) -> None:
    """Take a mail that came in: an answer, an automatic one or a bounce. A mail server pipes it in."""
    raw = _read(file)
    with database(data_dir) as conn:
        clock = read_clock(conn) or production_clock()
        now = clock.fleet_at(system_wall())
        office = Office(
            PgDesk(conn),
            load_catalogue(),
            maker(lambda: now, random.SystemRandom()),
            channel="mail" if Settings().smtp_url else "mailbox",
        )
        mail = read_mail(raw)
        taken = take_mail(office, replace(mail, words=mail.words or mail.subject), to_datetime(now))
        ticket = office.desk.tickets.get(taken.ticket).ref if taken.ticket is not None else None
    emit({"kind": str(taken.kind), "ticket": ticket, "repeated": taken.repeated}, as_json=as_json)


def _short(span: timedelta) -> str:
    """`15m` or `48h`."""
    minutes = span // timedelta(minutes=1)
    return f"{minutes // 60}h" if minutes % 60 == 0 else f"{minutes}m"


def _published(found: Levels, calendar: str, zone: str) -> int | None:
    """The last year that the calendar's country has announced; None where its holidays follow from a rule."""
    country = found.calendars[calendar].of(zone).country
    return last_published(country) if country else None


def _read(file: Path | None) -> bytes:
    if file is None:
        raw = sys.stdin.buffer.read(_MOST_BYTES + 1)
    else:
        try:
            raw = file.read_bytes()
        except OSError as cause:
            raise StackError(f"{file} cannot be read: {cause.strerror}") from cause
    if not raw.strip():
        raise StackError("there is no mail: give a file, or pipe one in")
    if len(raw) > _MOST_BYTES:
        raise StackError(f"a mail holds at most {_MOST_BYTES} bytes")
    return raw
