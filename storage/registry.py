"""The registry of devices: what the worker checks readings against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from psycopg.rows import class_row

from storage.pool import Connection
from telemetry.errors import WireError
from telemetry.identity import DeviceKey, parse_id
from telemetry.message import MAX_WORD, is_word

_COLUMNS = "no, org, device, kind, model, serial, room, lang, household, installed, warranty_until, registered, lot"
_ALL = f"select {_COLUMNS} from device order by no"  # noqa: S608  (a constant of this module)
_ONE = f"select {_COLUMNS} from device where org = %s and device = %s"  # noqa: S608  (likewise)
_MANY = f"""
select {_COLUMNS} from device where (org, device) in (select * from unnest(%s::text[], %s::text[]))
"""  # noqa: S608  (likewise)
_INSERT = """
insert into device (org, device, kind, model, serial, room, lang, household, installed, warranty_until, registered,
                    lot)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (org, device) do nothing
"""
_NAME_LOT = "update device set lot = %s where org = %s and device = %s and lot is null"


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A registered device; `no` is its key in every table of readings."""

    no: int
    org: str
    device: str
    kind: str
    model: str | None
    serial: str | None
    room: str | None
    lang: str
    household: UUID | None
    installed: datetime | None
    warranty_until: date | None
    registered: datetime
    lot: str | None = field(default=None, kw_only=True)

    @property
    def key(self) -> DeviceKey:
        """Organisation and device, as in topics."""
        return DeviceKey(self.org, self.device)


def register_device(
    conn: Connection,
    key: DeviceKey,
    kind: str,
    *,
    registered: datetime,
    model: str | None = None,
    serial: str | None = None,
    room: str | None = None,
    lang: str = "en",
    household: UUID | None = None,
    installed: datetime | None = None,
    warranty_until: date | None = None,
    lot: str | None = None,
) -> DeviceRow:
    """Enter a device, or return the one that is there already.

    A lot that was not known when the device was entered is added; a known one stays.

    Raises:
        WireError: an id that topics could not carry, or a lot that is no word.
    """
    parse_id(key.org, "organisation")
    parse_id(key.device, "device")
    if lot is not None and not is_word(lot):
        raise WireError("word", f"{lot[:MAX_WORD]!r}: a lot is 1 to {MAX_WORD} printable characters")
    row = (key.org, key.device, kind, model, serial, room, lang, household, installed, warranty_until, registered, lot)
    conn.execute(_INSERT, row)
    if lot is not None:
        conn.execute(_NAME_LOT, (lot, key.org, key.device))
    found = find_device(conn, key)
    if found is None:  # the row was just entered in this transaction
        raise LookupError(f"{key} vanished while it was registered")
    return found


def find_device(conn: Connection, key: DeviceKey) -> DeviceRow | None:
    """The device of a key, or None."""
    with conn.cursor(row_factory=class_row(DeviceRow)) as cursor:
        return cursor.execute(_ONE, (key.org, key.device)).fetchone()


def find_devices(conn: Connection, keys: Sequence[DeviceKey]) -> dict[DeviceKey, DeviceRow]:
    """The registered ones among the keys."""
    wanted = ([key.org for key in keys], [key.device for key in keys])
    with conn.cursor(row_factory=class_row(DeviceRow)) as cursor:
        return {row.key: row for row in cursor.execute(_MANY, wanted)}


def list_devices(conn: Connection) -> list[DeviceRow]:
    """All devices, by number."""
    with conn.cursor(row_factory=class_row(DeviceRow)) as cursor:
        return cursor.execute(_ALL).fetchall()
