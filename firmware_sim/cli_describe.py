"""`wellkept sim describe`: a scenario, a kind, or what a fault does, in tables and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import typer
from rich.table import Table
from rich.text import Text

from firmware_sim.cli_common import AsJson, CommandError, beginning, err, out, progress, say_json, spoken, table, tools
from firmware_sim.fleet import Fleet
from firmware_sim.kind_page import block, drawn, write_block
from firmware_sim.names import known_name
from firmware_sim.physics import simulated_kinds
from firmware_sim.plot import plot as draw
from firmware_sim.scenario import load_scenario, scenario_ids
from firmware_sim.signature import Signature, in_words, signature
from firmware_sim.sketch import braille, sparkline
from firmware_sim.wear import DAY
from telemetry.catalogue import Catalogue, KindSpec, load_catalogue

_WIDTH, _HEIGHT = 56, 2
_STILL = 0.01


@spoken
def describe(
    ctx: typer.Context,
    *,
    what: Annotated[str, typer.Argument(help="A scenario or a kind.")],
    fault: Annotated[str, typer.Argument(help="Of the kind: what it does.")] = "",
    plot: Annotated[Path | None, typer.Option(help="Draw the signature into FILE.svg or FILE.png.")] = None,
    plots: Annotated[
        Path | None, typer.Option(help="Draw KIND.svg and KIND-FAULT.svg for every fault into a folder.")
    ] = None,
    page: Annotated[
        Path | None, typer.Option(help="With --plots: write what was measured into this page too, between its marks.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Of the kind; the first unless told.")] = None,
    scenario: Annotated[str, typer.Option(help="Take models and faults of this scenario too.")] = "",
    seed: Annotated[int, typer.Option(help="Of a scenario: whose faults are counted.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Describe a scenario, a kind, or a fault with its signature."""
    catalogue = load_catalogue()
    if scenario:
        catalogue = load_scenario(scenario).catalogue(catalogue)
    if page is not None and (plots is None or what not in catalogue):
        raise CommandError("--page goes with a kind and --plots")
    if what in catalogue:
        if plots is not None:
            _pictures(ctx, catalogue, what, plots, page=page, model=model, as_json=as_json)
        elif fault or plot is not None:
            _fault(ctx, catalogue, what, fault or None, model=model, plot=plot, as_json=as_json)
        else:
            _kind(catalogue[what], as_json=as_json)
    elif what in scenario_ids() or what.endswith(".toml"):
        if fault or plot is not None or model is not None:
            raise CommandError(f"{what} is a scenario; a fault, a model or a picture belongs to a kind")
        _scenario(what, seed, as_json=as_json)
    else:
        known_name("kind or scenario", what, [*catalogue.kinds, *scenario_ids()])


def _scenario(name: str, seed: int, *, as_json: bool) -> None:
    scenario = load_scenario(name)
    start = beginning(scenario)
    fleet = Fleet(scenario, seed, start)
    counts: dict[str, int] = {}
    for device in fleet.devices:
        counts[device.kind] = counts.get(device.kind, 0) + 1
    within = {days: len(fleet.expected(start + days * DAY)) for days in (30, 90, 365)}
    plain = msgspec.to_builtins(scenario)
    if as_json:
        say_json({**plain, "devices": counts, "faults_within_days": within, "seed": seed})
        return
    out.print(Text(f"{scenario.id}: {scenario.title}", style="bold"))
    if plain.get("about"):
        out.print(Text(plain["about"]))
    out.print()
    table([{"kind": kind, "devices": count} for kind, count in counts.items()])
    out.print()
    days = [{"days": days, "faults": count} for days, count in within.items()]
    table(days, f"faults that begin when nobody repairs, seed {seed}")
    out.print()
    table(
        [{"key": key, "value": value} for key, value in _flat(plain) if key not in {"id", "title", "about"}], "settings"
    )


def _flat(value: object, path: str = "") -> list[tuple[str, object]]:
    """Leaves of a structure with their paths, as in a TOML file."""
    if isinstance(value, Mapping):
        found = []
        for key, part in value.items():
            found += _flat(part, f"{path}.{key}" if path else str(key))
        return found
    if isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        return [leaf for number, part in enumerate(value) for leaf in _flat(part, f"{path}[{number}]")]
    return [] if value in (None, "", [], ()) else [(path, value)]


def _kind(spec: KindSpec, *, as_json: bool) -> None:
    simulated = spec.kind in simulated_kinds()
    found: dict[str, Any] = {"kind": spec.kind, "title": spec.title.en, "simulated": simulated}
    found["channels"] = [
        {"channel": name, "unit": one.unit, "low": one.low, "high": one.high, "title": one.title.en}
        for name, one in spec.channels.items()
    ]
    found["phases"] = [
        {"phase": name, "every_s": one.every, "samples_a_message": one.batch, "works": one.active}
        for name, one in spec.phases.items()
    ]
    parameters = sorted({name for one in spec.models.values() for name in one.parameters})
    found["parameters"] = [
        {"parameter": name, **{model: one.parameters.get(name) for model, one in spec.models.items()}}
        for name in parameters
    ]
    found["faults"] = [
        {
            "fault": name,
            "course": one.course.pattern,
            "lead_days": f"{one.lead_days[0]:g}-{one.lead_days[1]:g}",
            "mechanism": "; ".join(f"{target} {in_words(what)}" for target, what in one.mechanism.items())
            or "as " + ", ".join(one.seen_from),
            "title": one.title.en,
        }
        for name, one in spec.faults.items()
    ]
    found["confounders"] = [
        {"confounder": name, "told_apart_by": one.against.en} for name, one in spec.confounders.items()
    ]
    if simulated:
        found["self_test"] = _test_names(spec)
    if as_json:
        say_json(found)
        return
    out.print(Text(f"{spec.kind}: {spec.title.en}", style="bold"))
    for name in ("channels", "phases", "parameters", "faults", "confounders"):
        out.print()
        table(found[name], name)
    if simulated:
        out.print(f"\n[bold]self-test[/bold]  {', '.join(found['self_test'])}")


def _test_names(spec: KindSpec) -> list[str]:
    shown = signature(Catalogue({spec.kind: spec}, ""), spec.kind, None)
    return list(shown.healthy.test)


def _fault(
    ctx: typer.Context,
    catalogue: Catalogue,
    kind: str,
    fault: str | None,
    *,
    model: str | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    with err.status("on the test bed"):
        shown = signature(catalogue, kind, fault, model=model, reader=tools(ctx).reader)
        if plot is not None:
            draw(shown, plot)
    if as_json:
        say_json(_as_json(shown, plot))
        return
    if shown.fault is not None:
        _page(shown)
        out.print()
    _curves(shown)
    if shown.features and shown.fault is not None:
        out.print()
        _measured(shown)
    if shown.healthy.test and shown.fault is not None:
        out.print()
        rows = [(name, shown.test(name)) for name in shown.healthy.test]
        table([_levels_row("quantity", name, values) for name, values in rows], "self-test, by level of the fault")
    if plot is not None:
        out.print(f"\ndrawn into {plot}")


def _pictures(
    ctx: typer.Context,
    catalogue: Catalogue,
    kind: str,
    folder: Path,
    *,
    page: Path | None,
    model: str | None,
    as_json: bool,
) -> None:
    """One picture of the healthy appliance, and one a fault; the same in numbers on the kind's page."""
    wanted: list[str | None] = [None, *drawn(catalogue[kind])]
    pictures: list[dict[str, Any]] = []
    found: list[Signature] = []
    with progress(f"drawing {kind}", len(wanted)) as show:
        for number, fault in enumerate(wanted):
            path = folder / (f"{kind}.svg" if fault is None else f"{kind}-{fault}.svg")
            found.append(signature(catalogue, kind, fault, model=model, reader=tools(ctx).reader))
            draw(found[-1], path)
            pictures.append({"picture": str(path), "bytes": path.stat().st_size})
            show(number + 1)
    if page is not None:
        write_block(page, block(catalogue[kind], found[1:], page.as_posix()))
        pictures.append({"picture": str(page), "bytes": page.stat().st_size})
    if as_json:
        say_json(pictures)
    else:
        table(pictures)


def _page(shown: Signature) -> None:
    page = shown.fault
    if page is None:
        return
    out.print(Text(f"{shown.setup.kind.kind} {shown.id}: {page.title.en}", style="bold"))
    out.print(Text(page.explain.en))
    out.print()
    course = f"{page.course.pattern}, {page.lead_days[0]:g} to {page.lead_days[1]:g} days from onset to failure"
    if page.course.pattern == "intermittent":
        course += f", bursts of {page.course.burst_hours:g} h that get denser"
    facts = {
        "family": page.family,
        "component": page.component,
        "severity": f"{page.severity}{', safety' if page.safety else ''}",
        "course": course,
        "model": f"{shown.setup.host.kind} {shown.setup.model}",
    }
    for name, fact in facts.items():
        out.print(Text(f"{name:<11}{fact}"))
    out.print()
    rows: list[dict[str, object]] = [
        {
            "changes": one.target,
            "healthy": None if one.healthy is None else f"{one.healthy:g}",
            "late": None if one.worn is None else f"{one.worn:.4g}",
            "failed": None if one.failed is None else f"{one.failed:.4g}",
            "at level 1": one.words,
        }
        for one in shown.changes
    ]
    table(rows, "mechanism")


def _curves(shown: Signature) -> None:
    """Each channel over a day, healthy and faulty on one scale."""
    sides = [("healthy", shown.healthy)]
    if shown.fault is not None:
        sides.append((f"at level {shown.levels[shown.shown_at]:g}", shown.shown))
    drawn = Table("channel", *(f"{name}, one day" for name, _ in sides), "mean", box=None, header_style="bold")
    series = [trace.series() for _, trace in sides]
    for number, (name, spec) in enumerate(shown.setup.kind.channels.items()):
        curves = [(hours[hours < 24.0], values[hours < 24.0, number]) for hours, values in series]  # noqa: PLR2004  (a day)
        every = np.concatenate([values for _, values in curves])
        known = every[np.isfinite(every)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        cells = [
            Text("\n".join(braille(t, values, width=_WIDTH, height=_HEIGHT, low=low, high=high)), style=style)
            for (t, values), style in zip(curves, ("cyan", "red"), strict=False)
        ]
        means = " → ".join(f"{float(np.nanmean(values)):.4g}" for _, values in curves if np.isfinite(values).any())
        unit = "" if spec.unit == "1" else f" {spec.unit}"
        drawn.add_row(Text(f"{name}\n{low:.4g} … {high:.4g}{unit}"), *cells, Text(means))
    out.print(drawn)
    if shown.fault is not None:
        events = sorted({event for trace in shown.traces for event in trace.events})
        if events:
            out.print(f"[bold]codes at failure[/bold]  {', '.join(events)}")


def _measured(shown: Signature) -> None:
    """Features by level, beside what the catalogue says of them."""
    told = {} if shown.fault is None else {one.feature: one for one in shown.fault.signature}
    rows = []
    for name in shown.setup.kind.features:
        values = shown.feature(name)
        if not np.isfinite(values[0]):
            continue
        effect = told.get(name)
        arrow = "" if effect is None else {-1: "falls", 0: "stays", 1: "rises"}[effect.direction]
        size = f" by {effect.size:.0%}" if effect is not None and effect.size else ""
        rows.append({**_levels_row("feature", name, values), "catalogue": f"{arrow}{size}" or None})
    table(rows, "features, by level of the fault")


def _levels_row(label: str, name: str, values: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, object]:
    change = values / values[0] - 1.0 if values[0] else np.full(len(values), np.nan)
    known = np.flatnonzero(np.isfinite(values))
    last = int(known[-1]) if len(known) else 0
    moved = f"{change[last]:+.0%}" if np.isfinite(change[last]) else None
    flat = bool(np.all(np.abs(change[known]) < _STILL)) if len(known) and np.isfinite(change[known]).all() else False
    return {
        label: name,
        "healthy": f"{values[0]:.4g}",
        "to failure": "─" * len(values) if flat else sparkline(values.tolist()),
        "last": f"{values[last]:.4g}",
        "change": moved,
    }


def _as_json(shown: Signature, plot: Path | None) -> dict[str, Any]:
    def clean(values: Mapping[str, float]) -> dict[str, float | None]:
        return {name: float(f"{value:.6g}") if np.isfinite(value) else None for name, value in values.items()}

    found: dict[str, Any] = {
        "kind": shown.setup.kind.kind,
        "fault": shown.id,
        "model": shown.setup.model,
        "host": shown.setup.host.kind,
        "levels": list(shown.levels),
        "mechanism": [asdict(one) for one in shown.changes],
        "features": [clean(some) for some in shown.features],
        "self_test": [clean(trace.test) for trace in shown.traces],
        "events": [list(trace.events) for trace in shown.traces],
        "channels": [
            clean(dict(zip(shown.setup.kind.channels, np.nanmean(trace.series()[1], axis=0).tolist(), strict=True)))
            for trace in shown.traces
        ],
        "plot": str(plot) if plot is not None else None,
    }
    if shown.fault is not None:
        found["course"] = msgspec.to_builtins(shown.fault.course)
        found["lead_days"] = list(shown.fault.lead_days)
        found["signature"] = msgspec.to_builtins(shown.fault.signature)
    return found
