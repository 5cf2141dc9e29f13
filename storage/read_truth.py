"""The scoreboard's rows: verdicts counted for each organisation, detector, kind, model and family."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from servicedesk.trust import Tally, precision, suggest_only
from storage.pool import Connection
from storage.read_models import Scope

_SCORES = """
with numbered as (
    select v.*, row_number() over (
        partition by org, detector, kind, model, family, truth = 'missed' order by at desc, id desc
    ) as place
    from verdict v where (%(org)s::text is null or v.org = %(org)s)
      and %(household)s::uuid is null and %(only_ticket)s::uuid is null
), standing as (
    select d.org, c.detector, d.kind, coalesce(d.model, '') as model, s.family, count(*) as n
    from suggestion s join device d on d.no = s.device join finding_current c on c.id = s.finding
    where (%(org)s::text is null or d.org = %(org)s)
      and not exists (select from ticket t where t.finding = s.finding)
    group by 1, 2, 3, 4, 5
)
select n.org, n.detector, n.kind, n.model, n.family,
       count(*) filter (where truth <> 'missed' and place <= %(window)s and hit) as right,
       count(*) filter (where truth <> 'missed' and place <= %(window)s and not hit) as wrong,
       count(*) filter (where truth = 'missed') as missed,
       count(*) filter (where truth <> 'missed') as verdicts,
       count(*) filter (where truth <> 'missed' and confirmed is not null) as named,
       count(*) filter (where truth = 'true' and confirmed is not null) as named_right,
       coalesce(max(s.n), 0) as suggestions, max(n.at) as latest
from numbered n
left join standing s on (s.org, s.detector, s.kind, s.model, s.family)
                      = (n.org, n.detector, n.kind, n.model, n.family)
group by n.org, n.detector, n.kind, n.model, n.family
order by n.org, n.kind, n.model, n.family, n.detector
"""


@dataclass(frozen=True, slots=True)
class ScoreView:
    """What is known of one detector on one family of one model.

    Attributes:
        right: of the last verdicts on findings, those whose fault was there.
        wrong: the others of them.
        missed: faults that owners reported and telemetry did not.
        verdicts: on findings, all.
        named: of them those whose cause was found.
        named_right: of these those whose cause had been told.
        suggestions: findings without a ticket because the detector only suggests.
        latest: when the newest verdict came.
    """

    org: str
    detector: str
    kind: str
    model: str
    family: str
    right: int
    wrong: int
    missed: int
    verdicts: int
    named: int
    named_right: int
    suggestions: int
    latest: datetime

    def plain(self) -> dict[str, Any]:
        """The row with what follows from it: precision, its interval, and whether the detector only suggests."""
        tally = Tally(self.right, self.wrong, self.missed)
        found = precision(tally)
        return asdict(self) | {
            "precision": round(found.mean, 4),
            "low": round(found.low, 4),
            "high": round(found.high, 4),
            "suggest_only": suggest_only(tally),
        }


def scores(conn: Connection, scope: Scope, *, window: int) -> list[ScoreView]:
    """Every detector and family that has a verdict. An owner sees none.

    Args:
        conn: a connection.
        scope: what the asker may see.
        window: so many last verdicts make the precision.
    """
    with conn.cursor(row_factory=class_row(ScoreView)) as cursor:
        return cursor.execute(_SCORES, scope.parameters() | {"window": window}).fetchall()
