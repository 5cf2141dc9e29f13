"""The timeline of a trial: one row a device, with its faults, tickets, visits and failures, as SVG. Pure.

Colours come from the page's classes. The picture is as wide as its view box says; the page lets it scroll sideways.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from stack.trial.matching import DAY, Alarm, Matching, Outcome, Verdict
from stack.trial.record import ConfounderRecord, TrialRecord, VisitRecord

MOST_ROWS = 240
_WIDTH, _LABEL, _TOP, _ROW = 1_120, 150, 26, 17
_STEPS = (1, 2, 5, 7, 14, 30, 61, 91, 182)
_TICKS = 14


@dataclass(slots=True)
class _Row:
    """What happened to a device."""

    device: str
    kind: str
    outcomes: list[Outcome] = field(default_factory=list)
    false: list[Alarm] = field(default_factory=list)
    visits: list[VisitRecord] = field(default_factory=list)
    spells: list[ConfounderRecord] = field(default_factory=list)


def timeline(record: TrialRecord, matching: Matching) -> tuple[str, int]:
    """The picture, and how many devices with something to show did not fit into it.

    Devices with a missed fault or a false ticket come before others when not all fit.
    """
    rows = _rows(record, matching)
    weighty = sorted(rows, key=lambda row: (not _trouble(row), row.kind, row.device))
    shown = sorted(weighty[:MOST_ROWS], key=lambda row: (row.kind, row.device))
    lines = list(_picture(record, shown))
    height = _TOP + _ROW * max(len(shown), 1) + 6
    head = (
        f'<svg class="time" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" '
        f'aria-label="Faults, tickets and visits of {len(shown)} devices over {record.days} days">'
    )
    return head + "".join(lines) + "</svg>", len(rows) - len(shown)


def _rows(record: TrialRecord, matching: Matching) -> list[_Row]:
    rows = {each.device: _Row(each.device, each.kind) for each in record.devices}
    for outcome in matching.outcomes:
        rows[outcome.fault.device].outcomes.append(outcome)
    for alarm in matching.false:
        rows[alarm.ticket.device].false.append(alarm)
    for visit in record.visits:
        if visit.finished is not None:
            rows[visit.device].visits.append(visit)
    spells: dict[str, list[ConfounderRecord]] = defaultdict(list)
    for spell in record.confounders:
        spells[spell.device].append(spell)
    found = [row for row in rows.values() if row.outcomes or row.false]
    for row in found:
        row.spells = spells[row.device]
    return found


def _trouble(row: _Row) -> bool:
    return bool(row.false) or any(each.verdict in {Verdict.MISSED, Verdict.LATE} for each in row.outcomes)


def _picture(record: TrialRecord, rows: list[_Row]) -> Iterator[str]:
    bottom = _TOP + _ROW * max(len(rows), 1)
    step = next((each for each in _STEPS if record.days / each <= _TICKS), 365)
    for day in range(0, record.days + 1, step):
        x = _x(record, record.start + day * DAY)
        yield f'<line class="grid" x1="{x}" x2="{x}" y1="{_TOP - 4}" y2="{bottom}"/>'
        yield f'<text class="tick" x="{x}" y="{_TOP - 9}" text-anchor="middle">{day}</text>'
    yield f'<text class="tick" x="{_LABEL - 12}" y="{_TOP - 9}" text-anchor="end">day</text>'
    for place, row in enumerate(rows):
        y = _TOP + _ROW * place
        name = row.device.partition("/")[2] or row.device
        yield f'<text class="who" x="{_LABEL - 12}" y="{y + 12}" text-anchor="end">{escape(name)}</text>'
        yield f'<line class="row" x1="{_LABEL}" x2="{_WIDTH - 8}" y1="{y + 8.5}" y2="{y + 8.5}"/>'
        for spell in row.spells:
            yield _bar(record, (spell.begin, spell.end), (y + 2, 13), "spell", spell.confounder)
        for outcome in row.outcomes:
            yield from _fault(record, outcome, y)
        for alarm in row.false:
            yield _false(record, alarm, y)
        for visit in row.visits:
            at = _x(record, visit.finished or 0)
            title = f"visit {visit.id}: {visit.outcome}, day {_day(record, visit.finished or 0)}"
            yield f'<rect class="visit" x="{at - 3}" y="{y + 5.5}" width="6" height="6">{_title(title)}</rect>'


def _fault(record: TrialRecord, outcome: Outcome, y: float) -> Iterator[str]:
    fault = outcome.fault
    until = fault.failure if fault.repaired is None else min(fault.failure, fault.repaired)
    when = f"onset day {_day(record, fault.onset)}, failure day {_day(record, fault.failure)}"
    said = f"{fault.fault} ({outcome.verdict.value}): {when}"
    yield _bar(record, (fault.onset, until), (y + 5, 7), f"fault {outcome.verdict.value}", said)
    if fault.repaired is None or fault.repaired > fault.failure:
        yield _bar(record, (fault.failure, fault.repaired or record.end), (y + 5, 7), "down", f"{said}; standing still")
    if record.start <= fault.failure <= record.end and (fault.repaired is None or fault.repaired > fault.failure):
        x = _x(record, fault.failure)
        yield f'<path class="failure" d="M{x - 4} {y + 4.5}l8 8m0 -8l-8 8">{_title(said)}</path>'
    for alarm in outcome.alarms:
        x = _x(record, alarm.at)
        title = f"ticket {alarm.ticket.ref}, day {_day(record, alarm.at)}"
        yield f'<path class="ticket" d="M{x} {y + 14.5}l-4.5 -7h9z">{_title(title)}</path>'


def _false(record: TrialRecord, alarm: Alarm, y: float) -> str:
    x = _x(record, alarm.at)
    title = f"false ticket {alarm.ticket.ref}: {alarm.ticket.family}, day {_day(record, alarm.at)}"
    return f'<path class="false" d="M{x} {y + 14.5}l-4.5 -7h9z">{_title(title)}</path>'


def _bar(record: TrialRecord, time: tuple[int, int], place: tuple[float, int], style: str, title: str) -> str:
    """A bar over a span of time, at a height and so high."""
    left, right = _x(record, time[0]), _x(record, time[1])
    y, height = place
    width = max(round(right - left, 1), 1.0)
    return f'<rect class="{style}" x="{left}" y="{y}" width="{width}" height="{height}">{_title(title)}</rect>'


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>"


def _day(record: TrialRecord, at: int) -> str:
    return f"{(at - record.start) / DAY:.1f}"


def _x(record: TrialRecord, at: int) -> float:
    inside = min(max(at, record.start), record.end)
    length = max(record.end - record.start, 1)
    return round(_LABEL + (_WIDTH - 8 - _LABEL) * (inside - record.start) / length, 1)
