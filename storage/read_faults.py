"""Open findings of the fleet by what their appliances share."""

from __future__ import annotations

from psycopg.rows import class_row

from servicedesk.fleet_faults import FaultGroup
from storage.read_models import Connection, Scope

_GROUPS = """
with fleet as (
    select d.no, d.kind, coalesce(d.model, '') as model, coalesce(h.area, '') as region
    from device d left join household h on h.id = d.household
    where (%(org)s::text is null or d.org = %(org)s)
      and (%(household)s::uuid is null or d.household = %(household)s) and %(only_ticket)s::uuid is null
      and (%(areas)s::text[] is null or h.area = any(%(areas)s))
), found as (
    select f.no, f.kind, f.model, f.region, c.family, min(c.onset) as onset
    from fleet f join finding_current c on c.device = f.no
    where c.state = 'open' and not c.history
    group by 1, 2, 3, 4, 5
), sized as (
    select kind, 'model' as by, model as name, count(*) as devices from fleet where model <> '' group by 1, 3
    union all
    select kind, 'region', region, count(*) from fleet where region <> '' group by 1, 3
    union all
    select kind, 'both', model || ' · ' || region, count(*) from fleet where model <> '' and region <> '' group by 1, 3
), hit as (
    select kind, family, 'model' as by, model as name, count(*) as findings, min(onset) as first
    from found where model <> '' group by 1, 2, 4
    union all
    select kind, family, 'region', region, count(*), min(onset) from found where region <> '' group by 1, 2, 4
    union all
    select kind, family, 'both', model || ' · ' || region, count(*), min(onset)
    from found where model <> '' and region <> '' group by 1, 2, 4
)
select x.kind, x.family, x.by, x.name, s.devices::int, x.findings::int, w.fleet::int, k.fleet_findings::int, x.first
from hit x
join sized s on (s.kind, s.by, s.name) = (x.kind, x.by, x.name)
join (select kind, count(*) as fleet from fleet group by 1) w on w.kind = x.kind
join (select kind, family, count(*) as fleet_findings from found group by 1, 2) k
    on (k.kind, k.family) = (x.kind, x.family)
order by x.findings desc, x.kind, x.family, x.by, x.name
"""


def fault_groups(conn: Connection, scope: Scope) -> list[FaultGroup]:
    """Groups with open findings, those least likely by chance first."""
    with conn.cursor(row_factory=class_row(FaultGroup)) as cursor:
        found = cursor.execute(_GROUPS, scope.parameters()).fetchall()
    return sorted(found, key=lambda each: (not each.stands_out, each.chance, -each.findings, each.name))
