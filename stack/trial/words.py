"""The report's figures in words: one headline list for the terminal, the Markdown and the page. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

Report = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Headline:
    """A figure with its meaning.

    Attributes:
        name: in a few words.
        value: as shown.
        meaning: one sentence; what it rests on, and what looking at nothing would give.
        key: of the report.
    """

    name: str
    value: str
    meaning: str
    key: str


def percent(value: float | None, digits: int = 0) -> str:
    """A share."""
    return "–" if value is None else f"{100 * value:.{digits}f}\u00a0%"


def number(value: float | None, digits: int = 2) -> str:
    """A number with a thousands' comma, without needless zeros."""
    if value is None:
        return "–"
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def days(value: float | None) -> str:
    """Days; hours when it is less than two of them."""
    if value is None:
        return "–"
    if abs(value) < 2.0:  # noqa: PLR2004  (days)
        return f"{number(24 * value, 1)}\u00a0h"
    return f"{number(value, 1)}\u00a0days"


def money(value: float | None, currency: str) -> str:
    """An amount in whole units."""
    return "–" if value is None else f"{value:,.0f}\u00a0{currency}"


def span(ends: list[float] | None, digits: int = 2) -> str:
    """An interval."""
    return "–" if ends is None else f"{number(ends[0], digits)}–{number(ends[1], digits)}"


def percents(ends: list[float] | None) -> str:
    """An interval of shares, without the sign."""
    return span(None if ends is None else [100 * each for each in ends], 0)


def headlines(found: Report) -> list[Headline]:
    """What a reader wants to know first; a figure that is undefined says why."""
    return [_or_why(found, each) for each in _headlines(found)]


def _or_why(found: Report, each: Headline) -> Headline:
    reason = found["undefined"].get(each.key)
    return each if reason is None else replace(each, meaning=f"Not defined: {reason}.")


def _headlines(found: Report) -> list[Headline]:
    blind, chance = found["controls"]["periodic_30_days"], found["controls"]["random_same_rate"]
    cost, currency = found["cost"], found["currency"]
    failure = found["baselines"]["repair_on_failure"]
    return [
        Headline(
            "Faults caught before failure",
            percent(found["recall"]),
            f"{found['caught']} of {found['faults']} (95 % interval {percents(found['recall_ci95'])} %), "
            f"{found['late']} named only after the failure, {found['missed']} not at all. As many tickets at random: "
            f"{percent(chance['recall'])}; one for every device every 30 days: {percent(blind['recall'])}.",
            "recall",
        ),
        Headline(
            "Faults found before their owners said so",
            percent(found["found_share"]),
            f"{found['found']} of {found['faults']} (95 % interval {percents(found['found_share_ci95'])} %): the "
            "caught, and those whose ticket came after the failure but before the owner's word.",
            "found_share",
        ),
        Headline(
            "Warning time",
            days(found["lead_days_p50"]),
            f"From the ticket to the failure, median of the caught; nine of ten had {days(found['lead_days_p10'])} or "
            f"more; {days(found['lead_days_slow_p50'])} of the {found['slow_caught']} that wear out over weeks. "
            f"Tickets opened {days(found['delay_days_p50'])} after the onset.",
            "lead_days_p50",
        ),
        Headline(
            "False tickets a device-year",
            number(found["false_per_device_year"], 3),
            f"{found['false_tickets']} in {number(found['device_years'], 1)} device-years, 95 % interval "
            f"{span(found['false_per_device_year_ci95'], 3)}; one for every device every 30 days would be "
            f"{number(blind['false_per_device_year'], 1)}.",
            "false_per_device_year",
        ),
        Headline(
            "First cause right",
            percent(found["top1"]),
            f"Of {found['named']} faults whose ticket named causes; right among the first three "
            f"{percent(found['top3'])}. Always naming the family's most frequent fault: "
            f"{percent(found['controls']['top1_most_frequent'])}.",
            "top1",
        ),
        Headline(
            "Remaining life covered",
            percent(found["rul_coverage90"]),
            f"Of {found['rul_intervals']} intervals that claim 90 %, with a median width of "
            f"{days(found['rul_width_p50'])}; one interval for all of the same claim is "
            f"{days(found['controls']['rul_width_one_for_all'])} wide.",
            "rul_coverage90",
        ),
        Headline(
            "Cost against repair on failure",
            percent(failure["cost_ratio"]),
            f"{money(cost['per_device_year'], currency)} a device-year against "
            f"{money(failure['per_device_year'], currency)}; {_others(found)}.",
            "cost",
        ),
        Headline(
            "Mended before failure",
            percent(found["before_failure"]),
            f"Of the caught faults. First visit mended it: {percent(found['first_time_fix'])}; somebody had to "
            f"come again within 30 days: {percent(found['repeat'])}; "
            f"{found['avoided_visits']} mended by owners with the guide.",
            "before_failure",
        ),
        Headline(
            "Tickets a fault",
            number(found["tickets_per_episode"]),
            f"{found['true_tickets']} openings and reopenings with a fault behind them. Owners reported "
            f"{found['reported_first']} judged faults first.",
            "tickets_per_episode",
        ),
    ]


def _others(found: Report) -> str:
    calendar, thresholds = found["baselines"]["calendar"], found["baselines"]["thresholds"]
    said = f"{percent(calendar['cost_ratio'])} of maintenance by calendar"
    if thresholds is not None:
        said += f", {percent(thresholds['cost_ratio'])} of thresholds a channel"
    return said


def exclusions(found: Report) -> list[str]:
    """What the figures leave out, in sentences."""
    out = found["excluded"]
    return [
        f"{out['failure_after_end']} faults are not judged: their failure would have come after the trial's end.",
        f"{out['failure_before_start']}: it came before its start.",
        f"{out['mended_unnamed']}: they were mended before it though neither telemetry nor owner had named them.",
    ]


def threshold_words(found: Report) -> str:
    """What the threshold baseline did."""
    row = found["baselines"]["thresholds"]
    if row is None:
        return f"Thresholds a channel: not defined; {found['undefined'].get('baselines.thresholds', '')}."
    held = f"{row['persistence_days']} day{'s in a row' if row['persistence_days'] > 1 else ''}"
    reached = (
        f"reaches recall {percent(row['recall'])}"
        if row["reached"]
        else f"cannot reach the product's recall; nearest is {percent(row['recall'])} (most at any threshold "
        f"{percent(row['most_recall'])})"
    )
    return (
        f"The best single threshold, |z| ≥ {number(row['z'], 1)} held for {held}, {reached}, with "
        f"{row['false_tickets']} false tickets, {number(row['false_per_device_year'], 2)} a device-year "
        f"(the product: {number(found['false_per_device_year'], 3)})."
    )
