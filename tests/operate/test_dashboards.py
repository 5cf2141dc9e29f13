"""Dashboards and alarms ask for nothing that the processes do not show; the handbook's table is kept equal to those."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.operate.test_meters import HANDBOOK, ROW

DEPLOY = Path(__file__).parents[2] / "deploy"
NAME = re.compile(r"\bwellkept_\w+")
LABEL = re.compile(r"(\w+)\s*=~?\s*\"([^\"]*)\"")
LEGEND = re.compile(r"{{\s*(?:\$labels\.)?(\w+)\s*}}")
ADDED = {"instance", "job", "le"}
LABELS = {"state", "status", "health", "stands", "part", "partition", "reason", "what", "route", "method"}


def shown() -> set[str]:
    """Names as they can be asked for: a histogram's are its parts'."""
    names: set[str] = set()
    for name, _, kind in ROW.findall(HANDBOOK.read_text(encoding="utf-8")):
        names |= {f"{name}{end}" for end in ("_bucket", "_sum", "_count")} if kind == "histogram" else {name}
    return names


def dashboards() -> dict[str, dict[str, Any]]:
    return {
        path.stem: json.loads(path.read_text()) for path in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
    }


def alerts() -> list[dict[str, Any]]:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
    return [rule for group in rules["groups"] for rule in group["rules"]]


def expressions() -> Iterator[tuple[str, str, str]]:
    """Where it stands, the expression, and what is written beside its lines."""
    for name, board in dashboards().items():
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield f"{name}: {panel['title']}", target["expr"], target["legendFormat"]
    for rule in alerts():
        yield rule["alert"], rule["expr"], " ".join(rule["annotations"].values())


def test_every_expression_asks_for_what_is_shown() -> None:
    known, asked = shown(), set()
    for where, expression, _ in expressions():
        names = set(NAME.findall(expression))
        assert names, where
        assert names <= known, f"{where}: {names - known}"
        asked |= names
        for opening, closing in ("()", "[]", "{}"):
            assert expression.count(opening) == expression.count(closing), where
    # What nobody looks at needs no measuring.
    assert len(asked) > 30


def test_labels_are_those_that_are_shown() -> None:
    handbook = HANDBOOK.read_text(encoding="utf-8")
    assert all(f"`{label}`" in handbook for label in LABELS)
    for where, expression, beside in expressions():
        for label, _ in LABEL.findall(expression):
            assert label in LABELS, where
        assert set(LEGEND.findall(beside)) <= LABELS | ADDED, where


@pytest.mark.parametrize(
    ("label", "values"), [("health", {"ok", "faulty", "unknown"}), ("stands", {"kept", "at_risk", "broken"})]
)
def test_values_are_real(label: str, values: set[str]) -> None:
    asked = {value for _, expression, _ in expressions() for name, value in LABEL.findall(expression) if name == label}
    assert asked
    assert asked <= values


def test_every_alarm_says_what_and_what_to_do() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert len(names) == len(set(names)) >= 10
    for rule in alerts():
        assert rule["labels"]["severity"] in {"page", "look"}
        assert set(rule["annotations"]) == {"summary", "mend"}


def test_dashboards_fit_their_grid_and_each_other() -> None:
    boards = dashboards()
    assert set(boards) == {"fleet", "ingest", "service"}
    assert len({board["uid"] for board in boards.values()}) == 3
    source = yaml.safe_load((DEPLOY / "grafana" / "provisioning" / "datasources" / "wellkept.yml").read_text())
    uid = source["datasources"][0]["uid"]
    for name, board in boards.items():
        taken: set[tuple[int, int]] = set()
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        for panel in board["panels"]:
            at = panel["gridPos"]
            assert at["x"] + at["w"] <= 24, name
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            assert not cells & taken, f"{name}: {panel['title']} lies on another"
            taken |= cells
            assert {target["datasource"]["uid"] for target in panel["targets"]} == {uid}


def test_what_compose_and_prometheus_name_is_there() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    scraped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    for job in scraped["scrape_configs"]:
        hosts = [t.split(":")[0] for c in job.get("static_configs", []) for t in c["targets"]]
        hosts += [name for c in job.get("dns_sd_configs", []) for name in c["names"]]
        assert set(hosts) <= set(services)
    for name in ("prometheus", "grafana"):
        assert services[name]["profiles"] == ["watch"]
        for volume in services[name]["volumes"]:
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (DEPLOY / source).exists(), source
            else:
                assert source in compose["volumes"]
