"""What detectors in the shadow would have done otherwise: pure, from both sides' episodes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from storage.shadow_store import Compared, EpisodeView

_SLACK = timedelta(days=7)
_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Pair:
    """An episode that both sides found."""

    live: EpisodeView
    shadow: EpisodeView


def pairs(live: list[EpisodeView], shadow: list[EpisodeView]) -> list[Pair]:
    """Episodes of one device and family that lie in each other's time, the nearest openings first, each once."""
    near = [
        (abs(one.opened - other.opened), i, j)
        for i, one in enumerate(live)
        for j, other in enumerate(shadow)
        if one.key == other.key and _together(one, other)
    ]
    found: list[Pair] = []
    taken_live: set[int] = set()
    taken_shadow: set[int] = set()
    for _, i, j in sorted(near):
        if i not in taken_live and j not in taken_shadow:
            taken_live.add(i)
            taken_shadow.add(j)
            found.append(Pair(live[i], shadow[j]))
    return found


def report(name: str, compared: Compared) -> dict[str, Any]:
    """Agreement, and false findings per device-year against verdicts.

    A finding of the shadow alone has no verdict: it is counted as false in `shadow_at_most`, and its true share lies
    between that and `shadow_at_least`, where only those are false that agree with a false one of the live detectors.
    """
    live, shadow = compared.live, compared.shadow
    both = pairs(live, shadow)
    ids = {pair.live.finding for pair in both}
    twins = {pair.shadow.finding for pair in both}
    only_live = [each for each in live if each.finding not in ids]
    only_shadow = [each for each in shadow if each.finding not in twins]
    years = compared.device_days / _YEAR
    false_both = sum(pair.live.hit is False for pair in both)
    false_live = sum(each.hit is False for each in live)
    missed = sum(len(times) for times in compared.missed.values())
    caught = [each for each in only_shadow if _was_missed(each, compared)]
    return {
        "shadow": name,
        "device_years": round(years, 3),
        "both": len(both),
        "only_live": len(only_live),
        "only_shadow": len(only_shadow),
        "opened_days_later": _spread([_days(p.shadow.opened - p.live.opened) for p in both]),
        "onset_days_later": _spread([_days(p.shadow.onset - p.live.onset) for p in both]),
        "true_lost": sum(each.hit is True for each in only_live),
        "false_avoided": sum(each.hit is False for each in only_live),
        "missed_by_live": missed,
        "missed_found": len(caught),
        "false_per_device_year": {
            "live": _rate(false_live, years),
            "shadow_at_least": _rate(false_both, years),
            "shadow_at_most": _rate(false_both + len(only_shadow) - len(caught), years),
        },
        "differences": [
            {"side": side, "device": str(each.key[0]), "family": each.family, "opened": each.opened, "hit": each.hit}
            for side, rows in (("live", only_live), ("shadow", only_shadow))
            for each in rows
        ],
    }


def _together(one: EpisodeView, other: EpisodeView) -> bool:
    return one.opened - _SLACK <= other.last and other.opened - _SLACK <= one.last


def _was_missed(episode: EpisodeView, compared: Compared) -> bool:
    """Whether an owner reported the fault, and telemetry had missed it."""
    reports: list[datetime] = compared.missed.get(episode.key, [])
    return any(episode.opened <= at and episode.last + _SLACK >= at for at in reports)


def _days(span: timedelta) -> float:
    return span / timedelta(days=1)


def _spread(days: list[float]) -> dict[str, float] | None:
    if not days:
        return None
    return {"median": round(median(days), 3), "least": round(min(days), 3), "most": round(max(days), 3)}


def _rate(count: int, years: float) -> float | None:
    return round(count / years, 4) if years > 0 else None
