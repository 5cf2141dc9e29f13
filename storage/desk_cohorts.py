"""The comparison of devices with their peers, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from servicedesk.cohort_rows import Member
from storage.pool import Connection
from telemetry.cohort import CohortReference, CohortSummary, Own

_ENTER = "insert into cohort_summary (device, day, features, firmware) values (%s, %s, %s, %s) on conflict do nothing"
_MEMBERS = """
select d.no, d.org, d.kind, d.model, s.day, s.features, s.firmware, t.body, t.at
from (
    select distinct on (device) device, day, features, firmware from cohort_summary where day >= %s
    order by device, day desc
) s
full join cohort_told t on t.device = s.device
join device d on d.no = coalesce(s.device, t.device)
order by d.no
"""
_TELL = """
insert into cohort_told (device, at, body) values (%s, %s, %s)
on conflict (device) do update set at = excluded.at, body = excluded.body
"""
_FORGET = "delete from cohort_summary where day < %s"


class PgCohorts:
    """See `CohortBook`."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def enter(self, device: int, summary: CohortSummary) -> None:
        """Once a day."""
        self._conn.execute(
            _ENTER, (device, summary.day, Jsonb(msgspec.to_builtins(summary.features)), summary.firmware)
        )

    def members(self, since: int) -> list[Member]:
        """By number."""
        rows: list[tuple[Any, ...]] = self._conn.execute(_MEMBERS, (since,)).fetchall()
        return [
            Member(
                device=no,
                org=org,
                kind=kind,
                model=model,
                summary=None if day is None else CohortSummary(day, msgspec.convert(own, dict[str, Own]), firmware),
                told=None if body is None else msgspec.convert(body, CohortReference),
                told_at=at,
            )
            for no, org, kind, model, day, own, firmware, body, at in rows
        ]

    def tell(self, device: int, reference: CohortReference, at: datetime) -> None:
        """The last."""
        self._conn.execute(_TELL, (device, at, Jsonb(reference.body())))

    def forget(self, before: int) -> int:
        """By day."""
        return self._conn.execute(_FORGET, (before,)).rowcount
