"""Cases of a period as the reports see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg.rows import kwargs_row

from servicedesk.service_report import CaseRow, VisitRow
from storage.pool import Connection
from storage.read_models import TICKET_SCOPE, Scope

_CASES = f"""
select d.org || '/' || d.device as device, d.kind, coalesce(d.model, '') as model, t.family,
    coalesce(h.area, '') as region, coalesce(tier.tier, '') as tier,
    case when t.finding is null then 'owner' else 'telemetry' end as origin,
    t.opened, t.done, t.episode as reopened,
    case when t.state in ('closed', 'self_fixed', 'false_alarm', 'cancelled') then t.state end as ended,
    coalesce((select jsonb_agg(jsonb_build_object(
            'technician', p.name, 'end', extract(epoch from upper(v.span)),
            'arrived', extract(epoch from v.arrived), 'outcome', o.code, 'cause', o.cause) order by v.finished)
        from visit v join technician p on p.id = v.technician left join outcome o on o.visit = v.id
        where v.ticket = t.id and v.state = 'done'), '[]') as visits,
    (select count(*) from level_clock c
        where c.ticket = t.id and c.met is not null and c.breached is null)::int as kept,
    (select count(*) from level_clock c where c.ticket = t.id and c.breached is not null)::int as broken,
    coalesce((select sum(b.total) from bill b where b.ticket = t.id), 0)::float8 as billed,
    s.score as rating
from ticket t
join device d on d.no = t.device
left join household h on h.id = t.household
left join household_tier tier on tier.household = t.household
left join survey s on s.ticket = t.id
{TICKET_SCOPE}
  and (%(since)s::timestamptz is null or t.opened >= %(since)s)
  and (%(until)s::timestamptz is null or t.opened < %(until)s)
  and (h.consent_analytics is null or h.consent_analytics)
order by t.opened, t.id
"""  # noqa: S608  (constants of this package)


def read_cases(conn: Connection, scope: Scope, since: datetime | None, until: datetime | None) -> list[CaseRow]:
    """Cases opened in a period, oldest first; those of households that withdrew their consent are not counted.

    Args:
        conn: a connection.
        scope: of people of ours; a household's or ticket's scope sees none.
        since: first moment, or None.
        until: first moment after it, or None.
    """
    if scope.household is not None or scope.ticket is not None:
        return []
    with conn.cursor(row_factory=kwargs_row(_case)) as cursor:
        return cursor.execute(_CASES, scope.parameters() | {"since": since, "until": until}).fetchall()


def _case(*, opened: datetime, visits: list[dict[str, Any]], **columns: Any) -> CaseRow:  # noqa: ANN401  (columns of one row)
    came = tuple(
        VisitRow(
            technician=each["technician"],
            end=_moment(each["end"], opened),
            arrived=None if each["arrived"] is None else _moment(each["arrived"], opened),
            outcome=each["outcome"],
            cause=each["cause"],
        )
        for each in visits
    )
    return CaseRow(opened=opened, visits=came, **columns)


def _moment(seconds: float, like: datetime) -> datetime:
    return datetime.fromtimestamp(seconds, like.tzinfo)
