"""Blocks and lanes of the dispatch board on a grid of ten minutes: words, icons and tones of what stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from api.i18n import Words
from api.pages.board_words import STATE_ICONS, breach_line, breach_short, skill_name, state_word
from api.pages.case import ICONS
from servicedesk.dayboard import Block, Lane
from servicedesk.model import Technician, Window
from storage.read_board import BoardVisit
from telemetry.catalogue import Catalogue

STEP = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Cell:
    """A span on the grid: its first column and how many, and words in it."""

    x: int
    w: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class BlockView:
    """A visit as a block. Tone is one of `done`, `asked`, `plan`, `now`, `late`, `clash`, `other`."""

    cell: Cell
    window: Cell
    way: Cell | None
    ref: str
    visit: UUID
    icon: str
    title: str
    line: str
    state: str
    state_icon: str
    tone: str
    long: str
    said: tuple[str, ...]
    locked: bool
    fresh: bool
    movable: bool
    seen: bool
    version: int


@dataclass(frozen=True, slots=True)
class LaneView:
    """A technician's row."""

    id: UUID
    name: str
    area: str
    skills: str
    load: str
    share: float
    absent: bool
    off: tuple[Cell, ...]
    pauses: tuple[Cell, ...]
    blocks: tuple[BlockView, ...]


@dataclass(frozen=True, slots=True)
class Clash:
    """A line of the plate: something on this day that cannot be kept."""

    ref: str
    text: str
    late: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """What the board shows."""

    area: str = ""
    skill: str = ""
    severity: int | None = None
    technician: UUID | None = None


def kind_name(t: Words, catalogue: Catalogue, kind: str) -> str:
    """An appliance kind."""
    return t.pick(catalogue[kind].title) if kind in catalogue else kind.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns of ten minutes from a moment on."""

    start: datetime
    columns: int

    def column(self, moment: datetime) -> int:
        """The column of a moment; what lies outside is at the edge."""
        return min(max(int((moment - self.start) // STEP), 0), self.columns - 1)

    def cell(self, begin: datetime, end: datetime, words: str = "") -> Cell:
        """The columns of a span, one at least."""
        x = self.column(begin)
        stop = min(max(-(-(end - self.start) // STEP), x + 1), self.columns)
        return Cell(x, max(1, int(stop) - x), words)


class Painter:
    """Makes lanes; gathers what the plate must say."""

    def __init__(
        self, t: Words, catalogue: Catalogue, grid: Grid, visits: Mapping[UUID, BoardVisit], now: datetime
    ) -> None:
        self._t = t
        self._catalogue = catalogue
        self._grid = grid
        self._visits = visits
        self._now = now
        self.clashes: list[Clash] = []

    def lane(self, technician: Technician, lane: Lane, shown: Filter) -> LaneView:
        """A technician's row."""
        t, grid = self._t, self._grid
        end = grid.start + grid.columns * STEP
        note = t.plain("Absent, {n} to move", n=len(lane.blocks)) if lane.absent and lane.blocks else ""
        if lane.shift is None:
            words = "" if note else t.plain("Absent today") if lane.absent else t.plain("No shift")
            off: tuple[Cell, ...] = (Cell(0, grid.columns, words),)
        else:
            first, last = lane.shift.start, lane.shift.end
            before = (
                (grid.cell(grid.start, first, t.plain("from {time}", time=t.time(first))),)
                if first > grid.start
                else ()
            )
            after = (grid.cell(last, end),) if last < end else ()
            off = (*before, *after)
        blocks = tuple(
            self._block(technician, block, earlier, shown, lane.pauses)
            for earlier, block in zip((None, *lane.blocks), lane.blocks, strict=False)
        )
        return LaneView(
            id=technician.id,
            name=technician.name,
            area=technician.area,
            skills=("、" if t.lang == "zh" else ", ").join(skill_name(t, each) for each in technician.skills),
            load=note if lane.shift is None else t.plain("{share} of shift", share=t.percent(lane.load)),
            share=min(lane.load, 1.0),
            absent=lane.absent,
            off=off,
            pauses=tuple(grid.cell(each.start, each.end, t.plain("Break")) for each in lane.pauses),
            blocks=blocks,
        )

    def _block(
        self, technician: Technician, block: Block, before: Block | None, shown: Filter, pauses: Sequence[Window]
    ) -> BlockView:
        t, grid, visit = self._t, self._grid, self._visits[block.visit]
        state, icon, tone = state_word(t, visit.state), STATE_ICONS[visit.state], _TONES[visit.state]
        said = tuple(breach_line(t, each, technician.name) for each in block.breaches)
        if visit.fresh and visit.state == "proposed":
            state, icon = t.plain("Placed"), "check"
        if visit.locked is not None and visit.state != "done":
            state, icon = t.plain("Locked"), "lock"
        if block.over:
            state, icon = t.plain("{n} min over", n=block.over // 60), "clock"
        if block.late:
            state, icon, tone = t.plain("{n} min late", n=-(-block.late // 60)), "clock", "late"
        if block.breaches:
            state, icon, tone = breach_short(t, block.breaches[0]), "tri", "clash"
        window = t.window(visit.start, visit.end)
        title = kind_name(t, self._catalogue, visit.kind)
        place = visit.household or visit.area
        if visit.seen:
            self._note(block, visit, said)
        else:
            title, place, state, icon, tone, said = t.plain("Another area"), "", t.plain("Booked"), "lock", "other", ()
        long = t.plain(
            "{title}, {place}: {state}. With {name}, promised {window}, expected {time}.",
            title=title,
            place=place or "–",
            state=state_word(t, visit.state),
            name=technician.name,
            window=window,
            time=t.time(block.begin),
        )
        cell = grid.cell(block.begin, block.end)
        dimmed = shown.severity is not None and visit.severity != shown.severity
        return BlockView(
            cell=cell,
            window=grid.cell(visit.start, visit.end),
            way=_way(grid, block, before, pauses),
            ref=visit.ref,
            visit=visit.id,
            icon=ICONS.get(visit.kind, "plug"),
            title=title,
            line=f"{t.time(block.begin)} {place}".strip(),
            state=state,
            state_icon=icon,
            tone="other" if dimmed and tone != "clash" else tone,
            long=" ".join((long, *said)),
            said=said,
            locked=visit.locked is not None,
            fresh=visit.fresh,
            movable=visit.seen and visit.state in {"proposed", "confirmed", "dispatched"},
            seen=visit.seen,
            version=visit.ticket_version,
        )

    def _note(self, block: Block, visit: BoardVisit, said: Sequence[str]) -> None:
        t = self._t
        head = t.plain("{time} {what}", time=t.time(visit.start), what=visit.household or visit.ref)
        for line in said:
            self.clashes.append(Clash(visit.ref, t.plain("{first}: {second}", first=head, second=line), late=False))
        if block.late and not said and visit.state != "done":
            n = -(-block.late // 60)
            words = t.plain("{a}: about {n} min after the promised window.", a=head, n=n)
            self.clashes.append(Clash(visit.ref, words, late=True))


_TONES = {
    "proposed": "asked",
    "confirmed": "plan",
    "dispatched": "plan",
    "travelling": "plan",
    "on_site": "now",
    "done": "done",
}


def _way(grid: Grid, block: Block, before: Block | None, pauses: Sequence[Window]) -> Cell | None:
    """The way to a visit: right before it, or right after the one before where a pause lies between."""
    minutes, way = round(block.way / 60), timedelta(seconds=block.way)
    begin = block.begin - way
    if before is not None and (begin < before.end or any(each.overlaps(Window(begin, block.begin)) for each in pauses)):
        begin = before.end
    begin = max(begin, grid.start)
    end = min(begin + way, block.begin)
    return grid.cell(begin, end, f"{minutes}′") if minutes and begin < end else None
