"""Verdicts and suggestions on PostgreSQL: a given connection, the transaction at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from servicedesk.trust import Key, Tally, Truth, Verdict
from storage.pool import Connection

_NOTE = """
insert into verdict (id, org, detector, kind, model, family, version, device, ticket, finding, told, confirmed, truth,
    hit, at)
values (%(id)s, %(org)s, %(detector)s, %(kind)s, %(model)s, %(family)s, %(version)s, %(device)s, %(ticket)s,
    %(finding)s, %(told)s, %(confirmed)s, %(truth)s, %(hit)s, %(at)s)
on conflict (ticket) do update set detector = excluded.detector, family = excluded.family, version = excluded.version,
    finding = excluded.finding, told = excluded.told, confirmed = excluded.confirmed, truth = excluded.truth,
    hit = excluded.hit, at = excluded.at
"""
_OF_TICKET = """
select id, org, detector, kind, model, family, version, device, ticket, finding, told, confirmed, truth, hit, at
from verdict where ticket = %s
"""
_KEY = "org = %(org)s and detector = %(detector)s and kind = %(kind)s and model = %(model)s and family = %(family)s"
_TALLY = f"""
with last as (
    select hit, at from verdict where {_KEY} and truth <> 'missed' order by at desc, id desc limit %(window)s
)
select (select count(*) from last where hit), (select count(*) from last where not hit),
       (select count(*) from verdict where {_KEY} and truth = 'missed'
        and at >= coalesce((select min(at) from last), '-infinity'))
"""  # noqa: S608  (constants of this module)
_CAUSES = f"select confirmed, count(*) from verdict where {_KEY} and confirmed is not null group by confirmed"  # noqa: S608  (likewise)
_SUGGEST = "insert into suggestion (finding, device, family, at) values (%s, %s, %s, %s) on conflict do nothing"
_SUGGESTED = """
select finding from suggestion where device = %s and family = %s and at >= %s order by at desc, finding desc limit 1
"""
_UNTAUGHT = """
select d.no from device d
left join lateral (
    select c.body from control_entry c
    where c.device = d.no and c.kind = 'priors' and c.body ->> 'family' = %(family)s
    order by c.at desc, c.id desc limit 1
) last on true
where d.org = %(org)s and d.kind = %(kind)s and coalesce(d.model, '') = %(model)s
  and last.body is distinct from %(body)s::jsonb and (%(anew)s or last.body is not null)
order by d.no
"""


@dataclass(frozen=True, slots=True)
class PgTruth:
    """See `servicedesk.ports_truth.TruthBook`."""

    conn: Connection

    def note(self, verdict: Verdict) -> None:
        """Enter a verdict, the last of its ticket."""
        row = asdict(verdict)
        self.conn.execute(_NOTE, row | row.pop("key"))

    def of_ticket(self, ticket: UUID) -> Verdict | None:
        """The verdict of a ticket."""
        with self.conn.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(_OF_TICKET, (ticket,)).fetchone()
        if row is None:
            return None
        key = Key(*(row.pop(name) for name in ("org", "detector", "kind", "model", "family")))
        return Verdict(key=key, **row | {"truth": Truth(row["truth"])})

    def tally(self, key: Key, window: int) -> Tally:
        """The last verdicts."""
        row: Any = self.conn.execute(_TALLY, asdict(key) | {"window": window}).fetchone()
        return Tally(*row)

    def causes(self, key: Key) -> Mapping[str, int]:
        """Confirmed causes."""
        rows: Any = self.conn.execute(_CAUSES, asdict(key)).fetchall()
        return dict(rows)

    def suggest(self, finding: UUID, device: int, family: str, at: datetime) -> None:
        """Note a suggestion once."""
        self.conn.execute(_SUGGEST, (finding, device, family, at))

    def suggested(self, device: int, family: str, since: datetime) -> UUID | None:
        """The newest suggestion."""
        row: Any = self.conn.execute(_SUGGESTED, (device, family, since)).fetchone()
        return None if row is None else row[0]

    def untaught(self, key: Key, body: Mapping[str, Any], *, anew: bool) -> list[int]:
        """Who knows another lesson."""
        rows: Any = self.conn.execute(_UNTAUGHT, asdict(key) | {"body": Jsonb(dict(body)), "anew": anew}).fetchall()
        return [row[0] for row in rows]
