"""The report as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stack.trial.words import Report, days, exclusions, headlines, money, number, percent, span, threshold_words

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Head and rows."""
_SHOWN = 60


def markdown(found: Report, title: str, again: str) -> str:
    """The whole report: headlines, costs, tables, false tickets, and what was left out.

    Args:
        found: the report.
        title: of the scenario.
        again: how to repeat it, a sentence.
    """
    parts = [
        f"# Trial `{found['scenario']}`, seed {found['seed']}",
        _fleet(found, title),
        "## Figures",
        _table(("figure", "value", "meaning"), ((h.name, f"**{h.value}**", h.meaning) for h in headlines(found))),
        "## Cost",
        _costs(found),
        threshold_words(found),
        "## By fault",
        _table(*fault_rows(found)),
        "## By kind",
        _table(*kind_rows(found)),
        "## Service levels",
        _table(*level_rows(found)),
        "## False tickets by confounder",
        _table(*confounder_rows(found)),
        f"## False tickets ({len(found['false'])})",
        _false(found),
        "## Left out",
        "\n".join(f"- {line}" for line in exclusions(found)),
        _undefined(found),
        f"{again}. What each figure means: docs/trial.md.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def cost_rows(found: Report) -> list[tuple[str, Mapping[str, Any]]]:
    """The product and its baselines, by name."""
    named = [
        ("Wellkept", found["cost"]),
        ("Repair on failure", found["baselines"]["repair_on_failure"]),
        ("Calendar", found["baselines"]["calendar"]),
        ("Thresholds, same recall", found["baselines"]["thresholds"]),
    ]
    return [(name, row) for name, row in named if row is not None]


def fault_rows(found: Report) -> Table:
    """Head and rows of the table by fault."""
    head = (
        "fault",
        "n",
        "caught",
        "late",
        "recall",
        "found",
        "delay p50",
        "lead p50",
        "in time",
        "first cause right",
        "not judged",
    )
    rows: list[tuple[str, ...]] = [
        (
            name,
            str(row["n"]),
            str(row["caught"]),
            str(row["late"]),
            percent(row["recall"]),
            percent(row["found_share"]),
            days(row["delay_days_p50"]),
            days(row["lead_days_p50"]),
            percent(row["before_failure"]),
            percent(row["top1"]),
            str(row["began"] - row["n"]),
        )
        for name, row in sorted(found["by_fault"].items())
    ]
    return head, rows


def kind_rows(found: Report) -> Table:
    """Head and rows of the table by kind."""
    head = (
        "kind",
        "device-years",
        "n",
        "recall",
        "found",
        "lead p50",
        "first cause right",
        "false",
        "a device-year",
        "95 %",
    )
    rows: list[tuple[str, ...]] = [
        (
            name,
            number(row["device_years"], 1),
            str(row["n"]),
            percent(row["recall"]),
            percent(row["found_share"]),
            days(row["lead_days_p50"]),
            percent(row["top1"]),
            str(row["false_tickets"]),
            number(row["false_per_device_year"], 3),
            span(row["false_per_device_year_ci95"], 3),
        )
        for name, row in sorted(found["by_kind"].items())
    ]
    return head, rows


def level_rows(found: Report) -> Table:
    """Head and rows of the table of promises."""
    head = ("service level", "kept", "broken", "share kept")
    rows: list[tuple[str, ...]] = [
        (name.replace("_", " "), str(row["kept"]), str(row["broken"]), percent(row["share_kept"]))
        for name, row in sorted(found["service_levels"].items())
    ]
    return head, rows


def confounder_rows(found: Report) -> Table:
    """Head and rows of the table by confounder."""
    head = ("confounder", "devices", "device-days", "false", "a device-year", "95 %")
    rows: list[tuple[str, ...]] = [
        (
            name,
            str(row["devices"]),
            number(row["device_days"], 0),
            str(row["false_tickets"]),
            number(row["false_per_device_year"], 3),
            span(row["false_per_device_year_ci95"], 3),
        )
        for name, row in sorted(found["by_confounder"].items(), key=lambda item: (item[0] == "none", item[0]))
    ]
    return head, rows


def _fleet(found: Report, title: str) -> str:
    return (
        f"{title}. {found['devices']} devices for {found['days']} days: {number(found['device_years'], 1)} "
        f"device-years, {found['messages']:,} messages, {found['readings']:,} readings."
    )


def _costs(found: Report) -> str:
    currency = found["currency"]
    rows = [
        (
            name,
            money(row["total"], currency),
            money(row["per_device_year"], currency),
            percent(row.get("cost_ratio")) if name != "Wellkept" else "",
            ", ".join(f"{line.replace('_', ' ')} {amount:,.0f}" for line, amount in sorted(row["lines"].items())),
        )
        for name, row in cost_rows(found)
    ]
    return _table(("", "total", "a device-year", "Wellkept costs of it", "made of"), rows)


def _false(found: Report) -> str:
    rows = [
        (
            f"{row['ref']}{' (reopened)' if row['reopening'] else ''}",
            f"{row['device']}, {row['kind']}",
            f"{row['day']:.1f}",
            row["family"],
            ", ".join(f"{name} {p:.2f}" for name, p in row["causes"]),
            ", ".join(row["confounders"]) or "none",
            ", ".join(row["other_fault"]) or "none",
        )
        for row in found["false"][:_SHOWN]
    ]
    if not rows:
        return "None."
    head = ("ticket", "device", "day", "family", "causes", "confounders at the time", "other fault of the device")
    more = len(found["false"]) - len(rows)
    return _table(head, rows) + (f"\n\nand {more} more, in `report.json`." if more else "")


def _undefined(found: Report) -> str:
    if not found["undefined"]:
        return ""
    lines = "\n".join(f"- `{name}`: {reason}." for name, reason in sorted(found["undefined"].items()))
    return f"Not defined in this trial:\n\n{lines}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
