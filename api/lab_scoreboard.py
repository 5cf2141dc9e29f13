"""How far each detector is believed, how early it is, how often it is wrong; and detectors that are tried beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from servicedesk.rates import Rate, rate_of
from servicedesk.trust import DEFAULT_TRUST
from storage.pool import Connection
from storage.read_models import Scope
from storage.read_scoreboard import Early, early, watched, wrong
from storage.read_truth import ScoreView, scores
from storage.shadow_report import report
from storage.shadow_store import ShadowView, compared, list_shadows


@dataclass(frozen=True, slots=True)
class Standing:
    """One detector on one fault family of one model.

    Attributes:
        score: verdicts counted.
        plain: with what follows from them: precision, its interval, whether it only suggests.
        early: how early its true findings came; None before the first repair.
        devices: that are watched.
        false: wrong findings per device-year; None where nothing was watched.
    """

    score: ScoreView
    plain: dict[str, Any]
    early: Early | None
    devices: int
    false: Rate | None


def read_standings(conn: Connection, scope: Scope) -> list[Standing]:
    """Every detector that has a verdict."""
    exposure, came, failed = watched(conn, scope), early(conn, scope), wrong(conn, scope)
    found = []
    for row in scores(conn, scope, window=DEFAULT_TRUST.window):
        key = (row.org, row.detector, row.kind, row.model, row.family)
        seen = exposure.get((row.org, row.kind, row.model))
        rate = None if seen is None else rate_of(failed.get(key, 0), seen.years)
        found.append(Standing(row, row.plain(), came.get(key), 0 if seen is None else seen.devices, rate))
    return found


@dataclass(frozen=True, slots=True)
class Shadow:
    """A detector in the shadow beside the live one."""

    view: ShadowView
    report: dict[str, Any]


def read_shadows(conn: Connection) -> list[Shadow]:
    """All shadows with what both sides found."""
    found = []
    for view in list_shadows(conn):
        both = compared(conn, view.name)
        if both is not None:
            found.append(Shadow(view, report(view.name, both)))
    return found
