"""Estimators of river from a kind's page: what they may be, that they are rebuilt exactly, what a worker imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from detectors.bank import Bank
from detectors.river_adapter import adapters_of, usual_of
from telemetry.catalogue import load_catalogue
from telemetry.catalogue.load import Catalogue, load_kind
from telemetry.catalogue.model import RiverSpec
from telemetry.errors import CatalogueError
from tests.detectors.streams import catalogue, watched

PAGE = (Path(__file__).parents[2] / "telemetry" / "catalogue" / "pump.yaml").read_text(encoding="utf-8")
FAULT = PAGE[PAGE.index("  pump_disturbance:") : PAGE.index("tuning:")]
SIGNATURE = FAULT[FAULT.index("    signature:") : FAULT.index("    lead_days")]
STRANGE = FAULT.replace("pump_disturbance", "strange").replace("family: hydraulics", "family: strange")
ESTIMATORS = [
    RiverSpec(estimator="anomaly.HalfSpaceTrees", params={"height": 5}, sees=("current", "flow"), fault="strange"),
    RiverSpec(estimator="anomaly.LODA", sees=("current", "flow"), fault="strange"),
    RiverSpec(estimator="anomaly.OneClassSVM", sees=("current", "flow"), fault="strange"),
    RiverSpec(estimator="anomaly.GaussianScorer", sees=("current",), fault="strange"),
    RiverSpec(estimator="drift.ADWIN", sees=("current", "flow"), fault="strange"),
    RiverSpec(estimator="drift.KSWIN", params={"window_size": 40, "stat_size": 10}, sees=("flow",), fault="strange"),
    RiverSpec(estimator="drift.PageHinkley", params={"threshold": 5.0}, sees=("flow",), fault="strange"),
]


def page(entry: str, fault: str = STRANGE.replace(SIGNATURE, "")) -> str:
    head, tail = PAGE.split("tuning:")
    return f"{head}{fault}tuning:{tail}river:\n  - {entry}\n"


@pytest.mark.parametrize("spec", ESTIMATORS, ids=lambda spec: spec.estimator)
def test_an_estimator_is_rebuilt_exactly(spec: RiverSpec) -> None:
    make = adapters_of(catalogue(), watched(catalogue()["pump"], "pump", spec))[0]
    rng = np.random.default_rng(2)
    values = rng.normal(5, 1, (700, len(spec.sees))) + np.where(np.arange(700) > 400, 2.0, 0.0)[:, None]
    whole, broken = make(), make()
    said = []
    for row, value in enumerate(values.tolist()):
        if row % 87 == 0:
            history = broken.history
            broken = make()
            broken.restore(history)
        score = whole.score(value)
        assert broken.score(value) == score
        said.append(score)
    assert said[: spec.history] == [None] * spec.history
    told = np.array(said[spec.history :], float)
    assert told[320:420].mean() > told[:200].mean()
    assert len(whole.history.fed) + len(whole.history.since) <= 2 * spec.history


@pytest.mark.parametrize(
    ("entry", "key", "detail"),
    [
        ("{estimator: anomaly.NoSuchThing, sees: [flow], fault: strange}", "river[0].estimator", "no drift or anomaly"),
        (
            "{estimator: anomaly.QuantileFilter, sees: [flow], fault: strange}",
            "river[0].estimator",
            "no drift or anomaly",
        ),
        ("{estimator: drift.ADWIN, params: {detla: 1}, sees: [flow], fault: strange}", "river[0].params", "not detla"),
        ("{estimator: drift.PageHinkley, params: {mode: no}, sees: [flow], fault: strange}", "river[0].params", "mode"),
        ("{estimator: anomaly.GaussianScorer, sees: [flow, current], fault: strange}", "river[0].sees", "one number"),
    ],
)
def test_what_river_does_not_have_is_named_with_its_line(entry: str, key: str, detail: str) -> None:
    text = page(entry)
    kind = load_kind(text, "pump.yaml")
    with pytest.raises(CatalogueError, match=detail) as raised:
        Bank(Catalogue({"pump": kind}, "", {"pump": text}))
    assert (raised.value.file, raised.value.key) == ("pump.yaml", key)
    assert raised.value.line == len(text.splitlines())


@pytest.mark.parametrize(
    ("entry", "fault", "key"),
    [
        ("{estimator: os.System, sees: [flow], fault: strange}", STRANGE.replace(SIGNATURE, ""), "river[0].estimator"),
        ("{estimator: drift.ADWIN, sees: [steam], fault: strange}", STRANGE.replace(SIGNATURE, ""), "river[0].sees"),
        ("{estimator: drift.ADWIN, sees: [flow], fault: other}", STRANGE.replace(SIGNATURE, ""), "river[0].fault"),
        ("{estimator: drift.ADWIN, sees: [flow], fault: strange}", STRANGE, "river[0].fault"),
        (
            "{estimator: drift.ADWIN, sees: [flow], fault: strange, evrey: 3}",
            STRANGE.replace(SIGNATURE, ""),
            "river[0]",
        ),
    ],
)
def test_what_the_page_itself_gets_wrong_needs_no_river(entry: str, fault: str, key: str) -> None:
    with pytest.raises(CatalogueError) as raised:
        load_kind(page(entry, fault), "pump.yaml")
    assert raised.value.key == key
    assert raised.value.line is not None


def test_river_is_imported_for_who_asks_only() -> None:
    program = (
        "import sys; from detectors.bank import Bank; from telemetry.catalogue import load_catalogue;"
        "Bank(load_catalogue()); print(sorted({'river.anomaly', 'river.drift', 'sklearn'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=120)  # noqa: S603  (a constant program)
    assert told.stdout.strip() == "[]"
    assert not any(kind.river for kind in load_catalogue().kinds.values())


def test_what_is_usual_is_not_moved_by_a_few() -> None:
    rows = [[float(x), 1.0] for x in range(100)] + [[1e6, 1.0]] * 3
    (middle, spread), (still, least) = usual_of(rows)
    assert middle == 51
    assert 30 < spread < 40
    assert still == 1
    assert 0 < least < 0.01
