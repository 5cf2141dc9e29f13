"""The one auditor: what devices numbered against what the database holds, and what the desk made of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import psycopg

from storage.pool import Connection, connect

Number = tuple[str, int, int]
"""Device without organisation, epoch, seq."""

_STORED = """
select d.device, r.epoch, r.seq, r.sub, count(*), min(r.power), max(r.power)
from {table} r join device d on d.no = r.device
where d.org = 'demo' and starts_with(d.device, %s) group by 1, 2, 3, 4
"""
_EVENTS = """
select d.device, r.epoch, r.seq, r.sub, count(*), 'nan'::real, 'nan'::real
from device_event r join device d on d.no = r.device
where d.org = 'demo' and starts_with(d.device, %s) group by 1, 2, 3, 4
"""
_BURIED = """
select device, epoch, seq, count(*) from dead_letter
where org = 'demo' and starts_with(device, %s) and seq is not null group by 1, 2, 3
"""
_GIVEN_UP = """
select d.device, l.epoch, l.from_seq, l.to_seq from declared_lost l join device d on d.no = l.device
where d.org = 'demo' and starts_with(d.device, %s)
"""
_TICKETS = """
select d.device, t.family, count(*) from ticket t join device d on d.no = t.device
where d.org = 'demo' and starts_with(d.device, %s) group by 1, 2
"""
# Whether a promise was endangered depends on how long a fault held things up: no part of the story.
_NOTICES = """
select d.device, n.stage, n.occasion, n.message_id, n.state
from notice n join ticket t on t.id = n.ticket join device d on d.no = t.device
where d.org = 'demo' and starts_with(d.device, %s)
  and n.stage not in ('late', 'compensated')
"""
_OPEN_JOBS = "select count(*) from procrastinate_jobs where status in ('todo', 'doing')"
_TABLES = ("reading_smart_plug", "reading_washing_machine", "reading_refrigerator")


@dataclass(slots=True)
class Ledger:
    """What the devices of one scenario numbered.

    Attributes:
        values: every numbered message, with the power it carries; None when it carries none.
        dropped: those that a spool truly lost: it was full, or its disk is gone.
        babblers: devices whose messages name any number and give up any; who sends them accounts for them by bytes.
    """

    values: dict[Number, float | None] = field(default_factory=dict)
    dropped: set[Number] = field(default_factory=set)
    babblers: set[str] = field(default_factory=set)

    def numbered(self, device: str, epoch: int, seqs: Iterable[int]) -> None:
        """Enter messages whose power is their seq."""
        self.values.update({(device, epoch, seq): float(seq) for seq in seqs})

    def sent(self, last: Mapping[str, tuple[int, int]]) -> None:
        """Enter everything that spools numbered: `org/device` to epoch and last seq."""
        for key, (epoch, seq) in last.items():
            self.numbered(key.partition("/")[2], epoch, range(1, seq + 1))


@dataclass(frozen=True, slots=True)
class Audit:
    """What the database holds of a ledger.

    Attributes:
        messages: in the ledger.
        lost: in neither readings nor dead letters, and not truly dropped.
        duplicated: stored or buried more than once, or both.
        changed: stored with another value than was numbered.
        strange: stored or buried under a number that nobody gave.
        declared: declared lost by the product.
        buried: kept as dead letters.
    """

    messages: int
    lost: set[Number]
    duplicated: set[Number]
    changed: set[Number]
    strange: set[Number]
    declared: set[Number]
    buried: set[Number]

    @property
    def clean(self) -> bool:
        """Whether nothing is lost, doubled, changed or made up."""
        return not (self.lost or self.duplicated or self.changed or self.strange)


def audit(url: str, prefix: str, ledger: Ledger) -> Audit:
    """Compare everything that the database holds of devices whose names begin with a prefix."""
    rows: dict[Number, dict[int, int]] = {}
    changed: set[Number] = set()
    declared: set[Number] = set()
    with connect(url, application="audit") as conn:
        for device, epoch, seq, sub, count, low, high in _stored(conn, prefix):
            number = device, epoch, seq
            kept = rows.setdefault(number, {})
            kept[sub] = kept.get(sub, 0) + count
            value = ledger.values.get(number)
            # An event carries no value.
            if value is not None and not math.isnan(low) and not low == high == value:
                changed.add(number)
        buried = {
            (str(device), int(str(epoch)), int(str(seq))): int(str(count))
            for device, epoch, seq, count in conn.execute(_BURIED, (prefix,)).fetchall()
        }
        for given_up in conn.execute(_GIVEN_UP, (prefix,)).fetchall():
            name, (first, last) = str(given_up[0]), (int(str(number)) for number in given_up[2:])
            declared |= {(name, int(str(given_up[1])), seq) for seq in range(first, last + 1)}
    twice = {number for number, subs in rows.items() if any(count > 1 for count in subs.values())}
    twice |= {number for number, count in buried.items() if count > 1} | (rows.keys() & buried.keys())
    known = {number for number in rows.keys() | buried.keys() if number[0] not in ledger.babblers}
    declared = {number for number in declared if number[0] not in ledger.babblers}
    return Audit(
        messages=len(ledger.values),
        lost=ledger.values.keys() - known - ledger.dropped,
        duplicated=twice,
        changed=changed,
        strange=known - ledger.values.keys(),
        declared=declared,
        buried=set(buried),
    )


def _stored(conn: Connection, prefix: str) -> Iterable[tuple[str, int, int, int, int, float, float]]:
    for query in (*(_STORED.replace("{table}", table) for table in _TABLES), _EVENTS):
        for device, epoch, seq, sub, count, low, high in conn.execute(query.encode(), (prefix,)):
            yield (
                *(str(device), int(str(epoch)), int(str(seq)), int(str(sub)), int(str(count))),
                *(float(str(low)), float(str(high))),
            )


@dataclass(frozen=True, slots=True)
class DeskStory:
    """What the desk made of a scenario's devices; roles are their names without the scenario's prefix.

    Attributes:
        tickets: role and family to the number of tickets.
        notices: role, stage and occasion of each.
        message_ids: of the notices, in the order of `notices`.
        unsent: notices still queued.
    """

    tickets: dict[tuple[str, str], int]
    notices: tuple[tuple[str, str, int], ...]
    message_ids: tuple[str, ...]
    unsent: int


def desk_story(url: str, prefix: str) -> DeskStory:
    """Read it; devices are those whose names begin with the prefix."""
    with connect(url, application="audit") as conn:
        tickets = {
            (str(device)[len(prefix) :], str(family)): int(str(count))
            for device, family, count in conn.execute(_TICKETS, (prefix,)).fetchall()
        }
        notices = sorted(
            ((str(device)[len(prefix) :], str(stage), int(str(occasion))), str(message_id), str(state))
            for device, stage, occasion, message_id, state in conn.execute(_NOTICES, (prefix,)).fetchall()
        )
    return DeskStory(
        tickets,
        tuple(notice for notice, _, _ in notices),
        tuple(message_id for _, message_id, _ in notices),
        sum(state == "queued" for _, _, state in notices),
    )


def open_jobs(url: str) -> int:
    """Jobs that wait or are being done."""
    with connect(url, application="audit") as conn:
        row = conn.execute(_OPEN_JOBS).fetchone()
    return int(str(row[0])) if row is not None else 0


def tickets(url: str) -> dict[str, int]:
    """Tickets by device, of everybody."""
    with connect(url, application="audit") as conn:
        rows = conn.execute("select d.device, count(*) from ticket t join device d on d.no = t.device group by 1")
        return {str(device): int(str(count)) for device, count in rows}


def has_ticket(url: str, device: str) -> bool:
    """Whether a device has its one ticket; False while the database is down."""
    try:
        return tickets(url).get(device) == 1
    except psycopg.OperationalError:
        return False


def ledger_of(last: Mapping[str, tuple[int, int]]) -> Ledger:
    """Everything that spools numbered: `org/device` to epoch and last seq."""
    ledger = Ledger()
    ledger.sent(last)
    return ledger
