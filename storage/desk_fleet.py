"""Findings of whole fleets, and findings whose tickets wait, in PostgreSQL."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.rows import class_row, kwargs_row

from servicedesk.fleet_rows import FleetFinding, Peer, Shared, Trait, Why
from storage.pool import Connection
from storage.read_models import DEVICE_SCOPE, Scope

_DEVICES = "select count(*) from device where org = %s and kind = %s"
_RECENT = """
select distinct on (f.device) f.device, f.id from finding f join device d on d.no = f.device
where d.org = %s and d.kind = %s and f.family = %s and f.opened >= %s and not f.history
order by f.device, f.opened desc, f.id desc
"""
_FLEET = "f.id, f.org, f.kind, f.family, f.opened, f.devices, f.expected"
_STANDING = f"""
select {_FLEET} from fleet_finding f
where f.org = %s and f.kind = %s and f.family = %s
  and exists (select from fleet_member m where m.fleet = f.id and m.joined >= %s)
order by f.opened desc, f.id desc limit 1
"""  # noqa: S608  (a constant of this module)
_ENTER = """
insert into fleet_finding (id, org, kind, family, opened, devices, expected)
values (%(id)s, %(org)s, %(kind)s, %(family)s, %(opened)s, %(devices)s, %(expected)s)
"""
_JOIN = "insert into fleet_member (finding, fleet, device, joined) values (%s, %s, %s, %s) on conflict do nothing"
_MEMBER_OF = "select fleet from fleet_member where finding = %s"
_WAIT = """
insert into finding_wait (finding, device, why, since, until) values (%s, %s, %s, %s, %s)
on conflict (finding) do update set why = excluded.why, until = excluded.until
"""
_WHY = "select why from finding_wait where finding = %s and ended is null"
_UNTIL = "select until from finding_wait where finding = %s and ended is null"
_ENDED = "select ended is not null from finding_wait where finding = %s"
_END = "update finding_wait set ended = %s where finding = %s and ended is null"
# What a device is held against: itself when it got the finding, the others now. Removed ones without it are gone.
_PEERS = """
select d.no as device, m.since is not null as member,
       coalesce(firmware_at(d.no, coalesce(m.since, %(now)s)), '') as firmware, coalesce(d.lot, '') as lot
from device d left join ({members}) m on m.device = d.no
where d.org = %(org)s and d.kind = %(kind)s and (d.removed is null or m.since is not null)
order by d.no
"""
_OF_FLEET = _PEERS.format(
    members="select device, min(joined) as since from fleet_member where fleet = %(fleet)s group by device"
)
_OF_FAMILY = _PEERS.format(
    members="""
    select f.device, min(f.opened) as since from finding f
    where f.family = %(family)s and f.opened >= %(since)s and not f.history
      and not exists (select from ticket t where t.finding = f.id and t.state = 'false_alarm')
    group by f.device
"""
)
_GET = f"select {_FLEET} from fleet_finding f where f.id = %s"  # noqa: S608  (a constant of this module)
_UNSHARE = "delete from fleet_shared where fleet = %s"
_SHARE = """
insert into fleet_shared (fleet, what, name, members, members_having, others, others_having, chance, at)
values (%(fleet)s, %(what)s, %(name)s, %(members)s, %(members_having)s, %(others)s, %(others_having)s, %(chance)s,
        %(at)s)
"""
_SHARED = "select what, name, members, members_having, others, others_having, chance from fleet_shared where fleet = %s"
_LIST = f"""
select {_FLEET}, count(m.finding)::int as findings, max(m.joined) as newest,
    (select to_jsonb(s) - 'fleet' - 'at' from fleet_shared s where s.fleet = f.id) as shared
from fleet_finding f join fleet_member m on m.fleet = f.id join device d on d.no = m.device
{DEVICE_SCOPE}
group by f.id order by f.opened desc, f.id desc limit %(limit)s
"""  # noqa: S608  (likewise)


@dataclass(frozen=True, slots=True)
class FleetView:
    """A fleet finding as it is shown.

    Attributes:
        findings: members that the reader may see.
        newest: when the last of them joined.
        shared: the firmware or lot that they have in common, if any stands out.
    """

    id: UUID
    org: str
    kind: str
    family: str
    opened: datetime
    devices: int
    expected: float
    findings: int
    newest: datetime
    shared: Shared | None = None


class PgFleet:
    """See `FleetBook`."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def devices(self, org: str, kind: str) -> int:
        """How many."""
        row: Any = self._conn.execute(_DEVICES, (org, kind)).fetchone()
        return int(row[0])

    def recent(self, org: str, kind: str, family: str, since: datetime) -> dict[int, UUID]:
        """Newest by device."""
        rows: Any = self._conn.execute(_RECENT, (org, kind, family, since)).fetchall()
        return dict(rows)

    def standing(self, org: str, kind: str, family: str, since: datetime) -> FleetFinding | None:
        """The newest that still grows."""
        with self._conn.cursor(row_factory=kwargs_row(FleetFinding)) as cursor:
            return cursor.execute(_STANDING, (org, kind, family, since)).fetchone()

    def enter(self, fleet: FleetFinding) -> None:
        """Enter."""
        self._conn.execute(_ENTER, asdict(fleet))

    def join(self, fleet: UUID, finding: UUID, device: int, at: datetime) -> None:
        """Once."""
        self._conn.execute(_JOIN, (finding, fleet, device, at))

    def member_of(self, finding: UUID) -> UUID | None:
        """Its fleet finding."""
        row: Any = self._conn.execute(_MEMBER_OF, (finding,)).fetchone()
        return None if row is None else row[0]

    def peers_of_fleet(self, fleet: UUID, now: datetime) -> list[Peer]:
        """Of its kind."""
        with self._conn.cursor(row_factory=kwargs_row(FleetFinding)) as cursor:
            known = cursor.execute(_GET, (fleet,)).fetchone()
        if known is None:
            return []
        return self._peers(_OF_FLEET, {"fleet": fleet, "org": known.org, "kind": known.kind, "now": now})

    def peers(self, org: str, kind: str, family: str, since: datetime, now: datetime) -> list[Peer]:
        """Of a kind."""
        return self._peers(_OF_FAMILY, {"family": family, "since": since, "org": org, "kind": kind, "now": now})

    def _peers(self, query: LiteralString, given: dict[str, Any]) -> list[Peer]:
        with self._conn.cursor(row_factory=class_row(Peer)) as cursor:
            return cursor.execute(query, given).fetchall()

    def share(self, fleet: UUID, shared: Shared | None, at: datetime) -> None:
        """Note."""
        self._conn.execute(_UNSHARE, (fleet,))
        if shared is not None:
            self._conn.execute(_SHARE, asdict(shared) | {"fleet": fleet, "at": at, "what": str(shared.what)})

    def shared(self, fleet: UUID) -> Shared | None:
        """What was noted."""
        with self._conn.cursor(row_factory=kwargs_row(_shared)) as cursor:
            return cursor.execute(_SHARED, (fleet,)).fetchone()

    def wait(self, finding: UUID, device: int, why: Why, since: datetime, until: datetime) -> None:
        """Note."""
        self._conn.execute(_WAIT, (finding, device, str(why), since, until))

    def waiting(self, finding: UUID) -> Why | None:
        """Now."""
        row: Any = self._conn.execute(_WHY, (finding,)).fetchone()
        return None if row is None else Why(row[0])

    def waits_until(self, finding: UUID) -> datetime | None:
        """Then."""
        row: Any = self._conn.execute(_UNTIL, (finding,)).fetchone()
        return None if row is None else row[0]

    def waited(self, finding: UUID) -> bool:
        """To the end."""
        return self._conn.execute(_ENDED, (finding,)).fetchone() == (True,)

    def end_wait(self, finding: UUID, at: datetime) -> bool:
        """Once."""
        return self._conn.execute(_END, (at, finding)).rowcount == 1


def list_fleet_findings(conn: Connection, scope: Scope, limit: int = 100) -> list[FleetView]:
    """Fleet findings, the newest first."""
    with conn.cursor(row_factory=kwargs_row(_view)) as cursor:
        return cursor.execute(_LIST, scope.parameters() | {"limit": limit}).fetchall()


def _shared(*, what: str, **columns: Any) -> Shared:  # noqa: ANN401  (columns of one row)
    return Shared(what=Trait(what), **columns)


def _view(*, shared: dict[str, Any] | None, **columns: Any) -> FleetView:  # noqa: ANN401  (likewise)
    return FleetView(shared=None if shared is None else _shared(**shared), **columns)
