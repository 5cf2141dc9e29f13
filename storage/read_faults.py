"""Open findings of the fleet by what their appliances share."""

from __future__ import annotations

from psycopg.rows import class_row

from servicedesk.fleet_faults import FaultGroup
from storage.pool import Connection
from storage.read_models import Scope

_GROUPS = """
with fleet as (
    select d.no, d.kind, g.by, g.name
    from device d left join household h on h.id = d.household
    left join lateral (
        select version from device_firmware where device = d.no order by epoch desc, seq desc limit 1
    ) w on true
    -- Of a household that does not agree to analytics the area is not counted.
    cross join lateral (select case when h.consent_analytics then h.area end as area) a
    cross join lateral (values
        ('model', d.model), ('region', a.area), ('lot', d.lot), ('firmware', w.version),
        ('both', nullif(d.model, '') || ' · ' || nullif(a.area, ''))
    ) as g (by, name)
    where (%(org)s::text is null or d.org = %(org)s)
      and (%(household)s::uuid is null or d.household = %(household)s) and %(only_ticket)s::uuid is null
      and (%(areas)s::text[] is null or h.area = any(%(areas)s))
), found as (
    select c.device, c.family, min(c.onset) as onset
    from finding_current c where c.state = 'open' and not c.history
    group by 1, 2
), sized as (
    select kind, by, name, count(*) as devices from fleet where name <> '' group by 1, 2, 3
), hit as (
    select f.kind, c.family, f.by, f.name, count(*) as findings, min(c.onset) as first
    from fleet f join found c on c.device = f.no where f.name <> '' group by 1, 2, 3, 4
)
select x.kind, x.family, x.by, x.name, s.devices::int, x.findings::int, w.fleet::int, k.fleet_findings::int, x.first
from hit x
join sized s on (s.kind, s.by, s.name) = (x.kind, x.by, x.name)
join (select kind, count(distinct no) as fleet from fleet group by 1) w on w.kind = x.kind
join (select f.kind, c.family, count(distinct f.no) as fleet_findings
      from fleet f join found c on c.device = f.no group by 1, 2) k
    on (k.kind, k.family) = (x.kind, x.family)
order by x.findings desc, x.kind, x.family, x.by, x.name
"""


def fault_groups(conn: Connection, scope: Scope) -> list[FaultGroup]:
    """Groups with open findings, those least likely by chance first."""
    with conn.cursor(row_factory=class_row(FaultGroup)) as cursor:
        found = cursor.execute(_GROUPS, scope.parameters()).fetchall()
    return sorted(found, key=lambda each: (not each.stands_out, each.chance, -each.findings, each.name))
