"""The report as one HTML file: nothing is fetched, all of it is inside. Pure but for reading its own parts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

import api
from stack.trial import markdown
from stack.trial.cost import LINES
from stack.trial.matching import DAY, Matching
from stack.trial.record import TrialRecord
from stack.trial.score import life_intervals
from stack.trial.timeline import timeline
from stack.trial.words import Report, days, exclusions, headlines, money, number, percent, threshold_words
from telemetry.catalogue import Catalogue

_HERE = Path(__file__).parent / "assets"
_STATIC = Path(api.__file__).parent / "static"
_SCALES = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)


@dataclass(frozen=True, slots=True)
class Words:
    """What the page says of the trial as a whole.

    Attributes:
        title: of the scenario.
        again: how to repeat it, a sentence.
    """

    title: str
    again: str


def page(record: TrialRecord, matching: Matching, found: Report, words: Words, catalogue: Catalogue) -> str:
    """The page.

    Args:
        record: of the trial.
        matching: its faults and tickets.
        found: the report.
        words: of the whole.
        catalogue: titles of faults and kinds.
    """
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(_HERE), autoescape=True, undefined=jinja2.StrictUndefined)
    env.filters |= {"percent": percent, "number": number, "days": days}
    picture, hidden = timeline(record, matching)
    return env.get_template("page.html").render(
        found=found,
        title=words.title,
        again=words.again,
        headlines=headlines(found),
        tokens=_inline(_STATIC / "tokens.css"),
        style=_inline(_HERE / "page.css"),
        uplot_style=_inline(_STATIC / "vendor" / "uPlot.min.css"),
        uplot=_inline(_STATIC / "vendor" / "uPlot.iife.min.js"),
        script=_inline(_HERE / "page.js"),
        data=Markup(json.dumps(plot_data(matching, found)).replace("<", "\\u003c")),  # noqa: S704  (no tag can end in it)
        timeline=Markup(picture),  # noqa: S704  (made of escaped parts)
        hidden=hidden,
        costs=_costs(found),
        thresholds=threshold_words(found),
        tables=[
            ("By fault", *markdown.fault_rows(found)),
            ("By kind", *markdown.kind_rows(found)),
            ("Service levels", *markdown.level_rows(found)),
            ("False tickets by confounder", *markdown.confounder_rows(found)),
        ],
        missed=_missed(record, matching, catalogue),
        exclusions=exclusions(found),
    )


def plot_data(matching: Matching, found: Report) -> dict[str, Any]:
    """What the page's script draws."""
    lives = sorted(
        (
            [
                round((each.fault.failure - each.alarms[0].at) / DAY, 3),
                round((low - each.alarms[0].at) / DAY, 3),
                round((high - each.alarms[0].at) / DAY, 3),
            ]
            for each in matching.caught
            for low, high, _ in life_intervals([each])
        ),
    )
    thresholds = found["baselines"]["thresholds"]
    years = found["device_years"] or 1.0
    return {
        "leads": sorted(round(lead, 3) for each in matching.caught if (lead := each.lead_days) is not None),
        "lives": lives,
        "coverage": [[scale, _covered(lives, scale)] for scale in _SCALES] if lives else [],
        "sweep": [
            [each["false_tickets"] / years, each["recall"], each["z"]]
            for each in (thresholds["sweep"] if thresholds else [])
        ],
        "product": [found["false_per_device_year"], found["recall"]],
        "least": 0.5 / years,
    }


def _covered(lives: list[list[float]], scale: float) -> float:
    """Share of the intervals that hold the truth when each is made longer or shorter about its middle."""
    held = 0
    for true, low, high in lives:
        middle, half = (low + high) / 2, (high - low) / 2 * scale
        held += middle - half <= true <= middle + half
    return round(held / len(lives), 4)


def _costs(found: Report) -> dict[str, Any]:
    rows = markdown.cost_rows(found)
    most = max((row["total"] for _, row in rows), default=0.0) or 1.0
    used = [line for line in LINES if any(line in row["lines"] for _, row in rows)]
    return {
        "lines": used,
        "rows": [
            {
                "name": name,
                "total": money(row["total"], found["currency"]),
                "yearly": money(row["per_device_year"], found["currency"]),
                "ratio": row.get("cost_ratio"),
                "own": name == "Wellkept",
                "parts": [
                    {
                        "line": line,
                        "share": round(100 * row["lines"][line] / most, 3),
                        "amount": money(row["lines"][line], found["currency"]),
                    }
                    for line in used
                    if row["lines"].get(line)
                ],
            }
            for name, row in rows
        ],
    }


def _missed(record: TrialRecord, matching: Matching, catalogue: Catalogue) -> list[dict[str, Any]]:
    """Judged faults without a ticket in time."""
    rows = []
    for each in matching.judged:
        fault = each.fault
        if each.lead_days is not None:
            continue
        spec = catalogue[fault.kind].faults.get(fault.fault) if fault.kind in catalogue else None
        rows.append(
            {
                "device": fault.device,
                "kind": fault.kind,
                "model": fault.model,
                "fault": fault.fault,
                "title": spec.title.en if spec else "",
                "onset": round((fault.onset - record.start) / DAY, 1),
                "failure": round((fault.failure - record.start) / DAY, 1),
                "verdict": each.verdict.value,
                "finding": each.finding,
                "owner": each.told is not None or fault.reported is not None,
            }
        )
    return rows


def _inline(path: Path) -> Markup:
    return Markup(path.read_text(encoding="utf-8").replace("</script", "<\\/script"))  # noqa: S704  (the product's own files)
