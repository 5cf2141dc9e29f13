"""The demo's live panel: what flows, in a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from stack.watch import View

_ORDER = (
    "detected",
    "open",
    "awaiting_parts",
    "awaiting_quote",
    "hold",
    "planned",
    "in_repair",
    "done",
    "verified",
    "closed",
    "reopened",
    "false_alarm",
    "self_fixed",
    "cancelled",
)
_LATE_S = 0.5


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the panel shows beside the view.

    Attributes:
        fleet_now: fleet time.
        speed: as it is.
        ceiling: at most.
        elapsed: wall seconds since the start.
        http_url: the pages.
        login: logins of dispatch and of a technician, or empty when it was shown in an earlier run.
        yours: link for the household that is yours, when its alert has gone out and is not answered.
        message: latest sentence of the supervisor.
    """

    fleet_now: datetime
    speed: float
    ceiling: float
    elapsed: float
    http_url: str
    login: str
    yours: str
    message: str


def render(view: View, around: Surroundings) -> RenderableType:
    """The whole panel."""
    parts: list[RenderableType] = [
        Columns([_flow(view), _clock(around), _desk(view)], expand=True),
        _notices(view),
        _pages(around),
    ]
    if around.yours:
        parts.append(
            Panel(
                Text.assemble(
                    ("One household is yours. ", "bold"),
                    "Its alert has just gone out; the clock runs at real time until you answer.\n",
                    (around.yours, "bold underline"),
                    "\nOpen the link and answer, or press Enter to let a simulated owner answer.",
                ),
                border_style="yellow",
                title="your turn",
            )
        )
    if around.message:
        parts.append(Text(around.message, style="dim"))
    return Group(*parts)


def _rows(title: str, rows: list[tuple[str, str | Text]]) -> Panel:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, value in rows:
        table.add_row(name, value)
    return Panel(table, title=title, border_style="blue")


def _flow(view: View) -> Panel:
    counts = view.counts
    return _rows(
        "telemetry",
        [
            ("messages/s", f"{view.rate:,.0f}"),
            ("messages", f"{counts.messages:,}"),
            ("readings", f"{counts.readings_seen:,}"),
            ("oldest without receipt", Text(f"{view.lag:.2f} s", style="red" if view.lag > _LATE_S else "green")),
            ("lost", Text(str(counts.lost), style="red" if counts.lost else "green")),
            ("dead letters", str(counts.dead_letters)),
        ],
    )


def _clock(around: Surroundings) -> Panel:
    days = around.speed / 86_400.0 * 60.0
    return _rows(
        "fleet clock",
        [
            ("fleet date", f"{around.fleet_now:%a %d %b %Y %H:%M} UTC"),
            ("speed", f"{around.speed:,.0f}× of {around.ceiling:,.0f}×"),
            ("days a minute", f"{days:.1f}"),
            ("running", f"{int(around.elapsed // 60)}:{int(around.elapsed % 60):02d}"),
        ],
    )


def _desk(view: View) -> Panel:
    rows: list[tuple[str, str | Text]] = [
        ("findings", str(view.counts.findings)),
        ("tickets", str(view.counts.tickets)),
        ("visits", str(view.counts.visits)),
    ]
    rows += [(f"  {state}", str(view.states[state])) for state in _ORDER if view.states.get(state)]
    return _rows("service desk", rows)


def _notices(view: View) -> Panel:
    table = Table.grid(padding=(0, 2))
    for notice in view.notices:
        table.add_row(Text(f"{notice.queued:%d %b %H:%M}", style="dim"), notice.lang, notice.subject)
    return Panel(table if view.notices else Text("none yet", style="dim"), title="latest notices", border_style="blue")


def _pages(around: Surroundings) -> Text:
    text = Text.assemble(
        ("mailbox ", "dim"),
        f"{around.http_url}/mailbox",
        ("   dispatch ", "dim"),
        f"{around.http_url}/dispatch",
        ("   technician ", "dim"),
        f"{around.http_url}/day",
        ("   API ", "dim"),
        f"{around.http_url}/docs",
    )
    if around.login:
        text.append(f"\nstaff logins (shown once): {around.login}", style="bold")
    return text
