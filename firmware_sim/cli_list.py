"""`wellkept sim list`: what there is to simulate."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from firmware_sim.cli_common import AsJson, CommandError, say_json, spoken, table
from firmware_sim.confounder_spec import confounder_specs
from firmware_sim.names import known_name, nearest
from firmware_sim.physics import simulated_kinds
from firmware_sim.scenario import load_scenario, scenario_ids
from telemetry.catalogue import load_catalogue

WHAT = ("scenarios", "kinds", "faults", "confounders", "models")


@spoken
def list_command(
    what: Annotated[str, typer.Argument(help=f"One of {', '.join(WHAT)}; everything but models unless told.")] = "",
    *,
    kind: Annotated[str, typer.Option(help="Faults or models of one kind.")] = "",
    as_json: AsJson = False,
) -> None:
    """List scenarios, kinds, faults, confounders and models."""
    if what and what not in WHAT:
        near = nearest(what, WHAT)
        raise CommandError(
            f"there is no list of {what!r}; " + (f"the nearest is {near!r}" if near else ", ".join(WHAT))
        )
    if kind:
        known_name("kind", kind, sorted(load_catalogue().kinds))
    wanted = (what,) if what else ("faults",) if kind else WHAT[:-1]
    found = {name: _LISTS[name](kind) for name in wanted}
    if as_json:
        say_json(found[what] if what else found)
        return
    for name, rows in found.items():
        table(rows, name)


def _scenarios(_kind: str) -> list[dict[str, Any]]:
    return [
        {"id": name, "devices": scenario.devices, "title": scenario.title}
        for name in scenario_ids()
        for scenario in (load_scenario(name),)
    ]


def _kinds(_kind: str) -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            "title": spec.title.en,
            "channels": len(spec.channels),
            "models": len(spec.models),
            "faults": len(spec.faults),
            "simulated": "yes"
            if name in simulated_kinds()
            else "behind a plug"
            if name == "smart_plug"
            else "replayed",
        }
        for name, spec in load_catalogue().kinds.items()
    ]


def _faults(kind: str) -> list[dict[str, Any]]:
    return [
        {
            "kind": name,
            "fault": fault,
            "family": page.family,
            "course": page.course.pattern,
            "lead_days": f"{page.lead_days[0]:g}-{page.lead_days[1]:g}",
            "moves": ", ".join(page.mechanism) or ", ".join(page.seen_from),
            "title": page.title.en,
        }
        for name, spec in load_catalogue().kinds.items()
        if kind in {"", name}
        for fault, page in spec.faults.items()
    ]


def _confounders(_kind: str) -> list[dict[str, Any]]:
    return [
        {
            "id": name,
            "scope": spec.scope,
            "kinds": ", ".join(spec.kinds) or "all",
            "days": None if spec.lasting else spec.days,
            "moves": ", ".join([*spec.influences, *(f"{k}: {t}" for k, some in spec.by_kind.items() for t in some)]),
            "title": spec.title.en,
        }
        for name, spec in confounder_specs({}).items()
    ]


def _models(kind: str) -> list[dict[str, Any]]:
    return [
        {"kind": name, "model": model, "title": page.title, "parameters": len(page.parameters)}
        for name, spec in load_catalogue().kinds.items()
        if kind in {"", name}
        for model, page in spec.models.items()
    ]


_LISTS = {"scenarios": _scenarios, "kinds": _kinds, "faults": _faults, "confounders": _confounders, "models": _models}
