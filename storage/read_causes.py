"""Confirmed causes with what their appliances have in common, and how long such appliances were in service."""

from __future__ import annotations

from datetime import datetime

from psycopg.rows import kwargs_row

from servicedesk.cause_report import Confirmed, InService, Traits
from storage.pool import Connection
from storage.read_models import DEVICE_SCOPE, TICKET_SCOPE, Scope

# What a visit confirmed last counts; one that found nothing confirms no cause.
_CASES = f"""
select distinct on (t.id) d.kind, coalesce(d.model, '') as model, coalesce(d.lot, '') as lot, o.cause,
    coalesce(firmware_at(d.no, coalesce((select r.onset from finding_revision r where r.finding = t.finding
                                         order by r.revision desc limit 1), t.opened)), '') as firmware
from ticket t
join device d on d.no = t.device
join visit v on v.ticket = t.id
join outcome o on o.visit = v.id
left join household h on h.id = t.household
{TICKET_SCOPE}
  and o.cause is not null and o.code <> 'no_fault_found'
  and (%(since)s::timestamptz is null or t.opened >= %(since)s)
  and (%(until)s::timestamptz is null or t.opened < %(until)s)
  and (h.consent_analytics is null or h.consent_analytics)
order by t.id, o.at desc, o.visit
"""  # noqa: S608  (constants of this package)
# An appliance is in service from its registration until its household takes it out. A version counts from its first
# message until that of the next one; the first one counts before it, as in `firmware_at`.
_SERVICE = f"""
with served as (
    select d.no, d.kind, coalesce(d.model, '') as model, coalesce(d.lot, '') as lot,
        greatest(d.registered, %(since)s::timestamptz) as begin,
        least(d.removed, %(until)s::timestamptz, %(now)s) as "end"
    from device d left join household h on h.id = d.household
    {DEVICE_SCOPE}
      and (h.consent_analytics is null or h.consent_analytics)
), spell as (
    select w.device, w.version,
        case when row_number() over own > 1 then w.since else '-infinity' end as begin,
        coalesce(lead(w.since) over own, 'infinity') as "end"
    from device_firmware w
    window own as (partition by w.device order by w.since, w.epoch, w.seq)
)
select s.kind, s.model, s.lot, coalesce(w.version, '') as firmware,
    sum(extract(epoch from least(s."end", w."end") - greatest(s.begin, w.begin)) / 86400.0)::float8 as days
from served s left join spell w on w.device = s.no
where least(s."end", w."end") > greatest(s.begin, w.begin)
group by 1, 2, 3, 4
order by 1, 2, 3, 4
"""  # noqa: S608  (likewise)


def read_causes(
    conn: Connection, scope: Scope, since: datetime | None, until: datetime | None, now: datetime
) -> tuple[list[Confirmed], list[InService]]:
    """What a report on causes is made of; households that withdrew their consent are in neither part.

    Args:
        conn: a connection.
        scope: of people of ours; a household's or ticket's scope sees none.
        since: cases opened from then on, and service from then on; None: from the beginning.
        until: cases opened before, and service before; None: up to now.
        now: no appliance was in service longer.
    """
    if scope.household is not None or scope.ticket is not None:
        return [], []
    given = scope.parameters() | {"since": since, "until": until, "now": now}
    with conn.cursor(row_factory=kwargs_row(_confirmed)) as cursor:
        cases = cursor.execute(_CASES, given).fetchall()
    with conn.cursor(row_factory=kwargs_row(_in_service)) as cursor:
        return cases, cursor.execute(_SERVICE, given).fetchall()


def _confirmed(*, cause: str, **traits: str) -> Confirmed:
    return Confirmed(Traits(**traits), cause)


def _in_service(*, days: float, **traits: str) -> InService:
    return InService(Traits(**traits), days)
