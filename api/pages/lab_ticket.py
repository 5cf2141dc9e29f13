"""A ticket's decision made again: from readings to causes, step by step, and whether it is the same to a bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import LabHand, LabPerson, Right, check_csrf, staff_may, staff_scope
from api.context import Context, InContext, InTx, Tx
from api.i18n import Words
from api.lab_replay import Decision, find_decision
from api.pages.lab_scores import Scores, facts_of, of_trace
from api.pages.lab_words import family_title, feature_title, kind_title, tabs
from api.pages.shell import staff_page, staff_words
from api.problems import not_found
from api.units import unit_of
from storage.access import StaffRow
from storage.lab_store import Asked, ask_run, latest_run, open_run
from storage.read_lab import Episode, episodes_of, zone_of_device
from telemetry.catalogue import KindSpec
from telemetry.clock import to_datetime, to_micros

router = APIRouter(include_in_schema=False)
_CAUSES = 5


@router.get("/lab/tickets/{ref}")
def lab_ticket(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    ref: str,
    person: LabPerson,
    tx: InTx,
    context: InContext,
    family: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """What a worker found when it made the decision again, or that nobody asked for it yet."""
    decision = _decision(tx, person, ref)
    device = decision.device
    t = staff_words(request, person, zone_of_device(tx.conn, device.no))
    kind = context.catalogue.kinds.get(device.kind)
    if kind is None:
        raise not_found("ticket")
    asked = Asked("decision", device.no, decision.subject)
    run, going = latest_run(tx.conn, asked), open_run(tx.conn, asked)
    found = run.result if run is not None else None
    return staff_page(
        request,
        context,
        person,
        "lab_ticket.html",
        t,
        tabs=tabs(t),
        subject=decision.subject,
        ticket=decision.ticket,
        device=device,
        kind_name=kind_title(t, context.catalogue, device.kind),
        fault=family_title(t, kind, decision.family),
        opened=t.stamp(decision.opened),
        run=run,
        going=going,
        found=found,
        may_steer=staff_may(person, Right.STEER_LAB),
        **(_steps(t, tx, kind, decision, found, family, context) if found is not None else {}),
    )


@router.post("/lab/tickets/{ref}/replay")
def lab_replay(  # noqa: PLR0917  (named by FastAPI)
    request: Request,
    ref: str,
    person: LabHand,
    tx: InTx,
    context: InContext,
    csrf: Annotated[str, Form()] = "",
) -> Response:
    """Ask a worker to make the decision again."""
    check_csrf(request, csrf)
    decision = _decision(tx, person, ref)
    ident = context.ids.at(to_micros(tx.now))
    asked = Asked("decision", decision.device.no, decision.subject)
    ask_run(tx.conn, ident, asked, by=f"staff:{person.login}", now=tx.now)
    return RedirectResponse(f"/lab/tickets/{decision.subject}", 303)


def _decision(tx: Tx, person: StaffRow, ref: str) -> Decision:
    found = find_decision(tx.conn, staff_scope(person), ref)
    if found is None:
        raise not_found("ticket")
    return found


def _steps(  # noqa: PLR0917  (what a page has)
    t: Words, tx: Tx, kind: KindSpec, decision: Decision, found: Mapping[str, Any], family: str, context: Context
) -> dict[str, Any]:
    """The stations from readings to causes."""
    first: Mapping[str, Any] = found["decided"]
    episodes: list[Episode] = [
        each for each in episodes_of(tx.conn, decision.device.no) if str(each.id) == decision.finding
    ]
    chosen = family or str(found.get("family") or "")
    scores = of_trace(
        t, kind, found["trace"], episodes, family=chosen, into=Scores(None, None, facts=facts_of(t, found))
    )
    costs = found.get("costs") or {}
    return {
        "scores": scores,
        "read": _read(t, found),
        "versions": _versions(t, found, context),
        "revisions": [
            (
                str(each["revision"]),
                t.stamp(to_datetime(each["arrived"])),
                t.plain("Open") if each["state"] == "open" else t.plain("Ended"),
                t.number(min(each["score"], 0.9999), 4) if each["score"] is not None else "–",
                str(each["version"])[:12],
            )
            for each in found["history"]
        ],
        "score": t.number(min(first["score"], 0.9999), 4) if first.get("score") is not None else "–",
        "costs": [
            (t.plain("Expected cost without a visit"), costs.get("expected_cost")),
            (t.plain("Cost of a visit"), costs.get("visit_cost")),
        ]
        if costs
        else [],
        "decided_at": t.stamp(to_datetime(found["opened"])) if found.get("opened") else "–",
        "onset": _onset(t, first),
        "causes": [_cause(t, kind, each) for each in first.get("causes", [])[:_CAUSES]],
        "rejected": [_rejected(t, kind, each) for each in first.get("rejected", [])],
    }


def _read(t: Words, found: Mapping[str, Any]) -> list[tuple[str, str]]:
    span = "–"
    if found.get("first") is not None:
        first, last = (t.stamp(to_datetime(found[key])) for key in ("first", "last"))
        span = t.plain("{start} to {end}", start=first, end=last)
    return [
        (t.plain("Messages"), t.number(found["messages"])),
        (t.plain("Readings"), t.number(found["readings"])),
        (t.plain("Event times"), span),
        (t.plain("Epochs"), t.number(found["epochs"])),
        (t.plain("Declared lost"), t.number(found["lost"])),
        (t.plain("Control entries"), t.number(found["controls"])),
    ]


def _versions(t: Words, found: Mapping[str, Any], context: Context) -> list[tuple[str, str]]:
    return [
        (t.plain("Decided by"), ", ".join(each[:12] for each in found["stored_versions"])),
        (t.plain("Replayed by"), str(found["version"])[:12]),
        (t.plain("Catalogue here"), context.catalogue.hash[:12]),
    ]


def _onset(t: Words, first: Mapping[str, Any]) -> str:
    if first.get("onset") is None:
        return "–"
    low, at, high = (t.short_day(to_datetime(first[key])) for key in ("onset_low", "onset", "onset_high"))
    return t.plain("{at}, between {low} and {high}", at=at, low=low, high=high)


def _cause(t: Words, kind: KindSpec, cause: Mapping[str, Any]) -> tuple[str, float, str]:
    fault = kind.faults.get(str(cause["fault"]))
    name = t.pick(fault.title) if fault is not None else t.plain("none of these")
    reasons = [
        t.plain(
            "{feature} {value}, usual {usual}",
            feature=feature_title(t, kind, f),
            value=_say(t, kind, f, v),
            usual=_say(t, kind, f, u),
        )
        for f, v, u in cause.get("reasons", [])
    ]
    return name, float(cause["probability"]), "; ".join(reasons)


def _rejected(t: Words, kind: KindSpec, each: Mapping[str, Any]) -> tuple[str, str]:
    name = str(each["cause"])
    fault, confounder = kind.faults.get(name), kind.confounders.get(name)
    title = t.pick(fault.title) if fault else t.pick(confounder.title) if confounder else name
    feature = str(each["feature"])
    return title, t.plain(
        "{feature} {value}; it would have shown {expected}",
        feature=feature_title(t, kind, feature),
        value=_say(t, kind, feature, each["value"]),
        expected=_say(t, kind, feature, each["expected"]),
    )


def _say(t: Words, kind: KindSpec, feature: str, value: float) -> str:
    spec = kind.features.get(feature) or kind.channels.get(feature) or kind.self_test.get(feature)
    unit = unit_of(spec.unit if spec is not None else "", value)
    return unit.say(t.number(value * unit.scale, unit.decimals), t.lang)
