"""Remaining life from run-to-failure records: error, intervals, causality, the model's file, wrong tables."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from detectors.rul.conditions import learn_conditions
from detectors.rul.forest import TreeRules, grow
from detectors.rul.intervals import calibrate
from detectors.rul.model import LifeModel, Rules, fit
from detectors.rul.modes import modes
from detectors.rul.records import LifeError, Record, Records, lives
from detectors.rul.storage import decode, encode
from stack.cli_rul import rul_app
from stack.errors import StackError
from stack.life_table import CMAPSS, CSV, Layout, form_of, read_units

SMALL = Rules(folds=3, trees=TreeRules(trees=40, rate=0.15, leaves=8, rows_a_leaf=10))
EFFECTS = np.array([1.0, -2.0, 0.5, 0.0, 3.0])


def records(units: int, seed: int, *, regimes: bool = False, until: float = 1.0) -> Records:
    """Units whose sensors follow a wear that grows exponentially; sensor 4 tells nothing, sensor 6 never moves."""
    rng = np.random.default_rng(seed)
    found = []
    for unit in range(units):
        life = int(rng.integers(80, 160))
        rows = life if until == 1.0 else max(5, round(life * rng.uniform(0.3, until)))
        time = np.arange(1.0, rows + 1)
        wear = np.expm1(4 * time / life) / np.expm1(4.0) + rng.uniform(0, 0.05)
        settings = rng.integers(0, 3, (rows, 1)) * (20.0 if regimes else 0.0) + rng.normal(0, 0.01, (rows, 1))
        sensors = wear[:, None] * EFFECTS + rng.normal(0, 0.05, (rows, 5)) + settings * 10.0 * regimes
        found.append(Record(str(unit + 1), time, settings, np.column_stack([sensors, np.full(rows, 7.0)])))
    return Records(found, ("altitude",), tuple("abcdef"))


@cache
def small_model(*, regimes: bool = False) -> LifeModel:
    return fit(records(20, 1, regimes=regimes), seed=3, cap=60.0, rules=SMALL)


@pytest.mark.parametrize("regimes", [False, True])
def test_life_is_told_better_than_by_age(*, regimes: bool) -> None:
    model, fresh = small_model(regimes=regimes), records(20, 2, regimes=regimes)
    truth = np.minimum(60.0, np.concatenate(lives(fresh.units)))
    told = [model.predict(record) for record in fresh.units]
    rul = np.concatenate([one.rul for one in told])
    age = np.concatenate([record.time for record in fresh.units])
    by_age = np.polyval(np.polyfit(age, truth, 2), age)
    error, blind = (float(np.sqrt(((guess - truth) ** 2).mean())) for guess in (rul, by_age))
    assert error < 0.6 * blind
    covered = np.mean(
        (truth >= np.concatenate([o.low for o in told])) & (truth <= np.concatenate([o.high for o in told]))
    )
    assert covered > 0.8
    assert len(model.parts[0].conditions.centres) == (3 if regimes else 0)
    assert model.parts[0].conditions.keep == [0, 1, 2, 3, 4]


def test_every_row_rests_on_the_rows_before_it_alone() -> None:
    model, record = small_model(), records(1, 5).units[0]
    record.sensors[7, 1] = np.nan
    whole = model.predict(record)
    for rows in (1, 2, 8, 31, len(record.time) - 1):
        part = model.predict(Record("x", *(column[:rows] for column in record[1:])))
        for short, long in zip(part, whole, strict=True):
            np.testing.assert_array_equal(short, long[:rows])


def test_a_shifted_clock_and_other_units_of_a_sensor_change_nothing_that_counts() -> None:
    record = records(1, 6).units[0]
    model = small_model()
    moved = model.predict(record._replace(time=record.time + 1000.0))
    np.testing.assert_array_equal(moved.rul, model.predict(record).rul)
    scale = np.array([9 / 5, 0.001, 1e6, 1.0, 1.0, 1.0])
    train = records(20, 1)
    other = fit(
        train._replace(units=[unit._replace(sensors=unit.sensors * scale + 32) for unit in train.units]),
        seed=3,
        cap=60.0,
        rules=SMALL,
    )
    np.testing.assert_allclose(
        other.predict(record._replace(sensors=record.sensors * scale + 32)).rul, model.predict(record).rul, atol=1.5
    )


def test_the_interval_holds_what_the_error_is() -> None:
    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(200), 40)
    life = np.tile(np.arange(40.0), 200)
    predicted = np.clip(life + rng.normal(0, 1 + life / 10), 0, 40)
    bounds = calibrate(predicted[:4000], life[:4000], unit[:4000], 40.0)
    low, high = bounds.around(predicted[4000:])
    inside = (life[4000:] >= low) & (life[4000:] <= high)
    for band in (predicted[4000:] < 12, (predicted[4000:] >= 12) & (predicted[4000:] < 30)):
        assert 0.86 < inside[band].mean() < 0.96
    assert (high - low)[predicted[4000:] < 5].mean() < (high - low)[predicted[4000:] > 20].mean()


@pytest.mark.long
def test_the_same_records_and_seed_make_the_same_file_and_the_file_the_same_predictions() -> None:
    model = small_model()
    content = encode(model)
    assert content == encode(fit(records(20, 1), seed=3, cap=60.0, rules=SMALL))
    again = decode(content, "a.life")
    record = records(1, 9).units[0]
    for one, other in zip(model.predict(record), again.predict(record), strict=True):
        np.testing.assert_array_equal(one, other)
    assert encode(again) == content


def test_a_file_that_is_none_damaged_or_of_another_version_is_refused() -> None:
    content = encode(small_model())
    with pytest.raises(LifeError, match="no life model"):
        decode(b"PK\x03\x04", "a.life")
    with pytest.raises(LifeError, match="damaged"):
        decode(content[:-1] + b"\x00", "a.life")
    with pytest.raises(LifeError, match="layout 9, this version reads layout 1"):
        decode(content.replace(b'"schema":1', b'"schema":9', 1), "a.life")


def test_records_without_anything_to_learn_are_refused() -> None:
    few = records(3, 1)
    with pytest.raises(LifeError, match="3 units"):
        fit(few, rules=SMALL)
    still = [unit._replace(sensors=np.ones_like(unit.sensors)) for unit in records(6, 1).units]
    with pytest.raises(LifeError, match="no sensor varies"):
        learn_conditions(still)
    with pytest.raises(LifeError, match="2 sensors, the model 1 and 6"):
        small_model().predict(Record("x", np.arange(3.0), np.zeros((3, 1)), np.zeros((3, 2))))


def test_trees_are_applied_as_scikit_learn_grew_them() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(500, 6))
    y = x[:, 0] * 3 + np.abs(x[:, 1])
    forest = grow(x, y, TreeRules(trees=60, rate=0.1, leaves=8, rows_a_leaf=10, features=1.0), 0)
    assert np.sqrt(((forest.predict(x) - y) ** 2).mean()) < 0.5 * y.std()


def write_cmapss(path: Path, table: Records) -> Path:
    lines = [
        " ".join([unit.unit, *(f"{x:.5f}" for x in (unit.time[i], *unit.settings[i], 0.0, 1.0, *unit.sensors[i]))])
        + "  "
        for unit in table.units
        for i in range(len(unit.time))
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_predict_by_the_command(tmp_path: Path) -> None:
    table = records(6, 8, until=0.9)
    lines = [
        ",".join(map(str, [unit.unit, "south", unit.time[i], *unit.sensors[i][::-1], *unit.settings[i]]))
        for unit in table.units
        for i in range(len(unit.time))
    ]
    test, model, out = tmp_path / "b.csv", tmp_path / "m.life", tmp_path / "o.csv"
    test.write_text("\n".join(["unit,site,time,f,e,d,c,b,a,altitude", *lines]))
    model.write_bytes(encode(small_model()))
    run = CliRunner()
    told = run.invoke(rul_app, ["predict", str(model), str(test), "--time", "time", "-o", str(out)])
    assert told.exit_code == 0, told.output
    rows = [line.split(",") for line in out.read_text().splitlines()]
    assert rows[0] == ["unit", "rul", "lo90", "hi90"]
    for row, unit in zip(rows[1:], table.units, strict=True):
        life = small_model().predict(unit)
        assert row == [unit.unit, *(f"{one[-1]:.6g}" for one in life)]
        assert life.low[-1] <= life.rul[-1] <= life.high[-1]
    every = run.invoke(rul_app, ["predict", str(model), str(test), "--time", "time", "--every-cycle"])
    assert len(every.stdout.splitlines()) == 1 + len(lines)
    assert every.stdout.splitlines()[-1].split(",")[2:] == rows[-1][1:]


@pytest.mark.long
def test_fit_and_predict_by_the_command(tmp_path: Path) -> None:
    train, test = (write_cmapss(tmp_path / n, records(8, s, until=u)) for n, s, u in (("a", 1, 1.0), ("b", 2, 0.9)))
    run = CliRunner()
    made = run.invoke(rul_app, ["fit", str(train), "-o", str(tmp_path / "m.life"), "--cap", "60", "--json"])
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["sensors_used"] == 5
    told = run.invoke(rul_app, ["predict", str(tmp_path / "m.life"), str(test), "-o", str(tmp_path / "o.csv")])
    assert told.exit_code == 0, told.output
    rows = [line.split(",") for line in (tmp_path / "o.csv").read_text().splitlines()]
    assert [row[0] for row in rows[1:]] == [str(i) for i in range(1, 9)]
    assert all(float(low) <= float(rul) <= float(high) for _, rul, low, high in rows[1:])


def test_csv_columns_are_found_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "id;hour;speed;load;site;RUL;heat\nx;2;1;0.5;north;9;3\nx;1;;0.4;north;10;2\nx;1;7;0.4;north;10;2\n"
    )
    assert form_of(path) == CSV
    table, left_out = read_units(path, CSV, Layout(settings=("load",)))
    assert table.sensors == ("speed", "heat")
    assert left_out == {"site": "text", "RUL": "named like the answer"}
    (unit,) = table.units
    assert unit.time.tolist() == [1.0, 2.0]
    np.testing.assert_array_equal(unit.sensors, [[np.nan, 2.0], [1.0, 3.0]])
    chosen, _ = read_units(path, CSV, Layout(sensors=("heat", "speed")))
    assert chosen.sensors == ("heat", "speed")
    with pytest.raises(StackError, match=r"no column 'flow'; there are id, hour"):
        read_units(path, CSV, Layout(sensors=("flow",)))


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        (CMAPSS, "1 1 0 0 100 5 6\n1 2 0 0 100 5\n", "line 2: 6 columns where the first line has 7"),
        (CMAPSS, "1 1 0 0 100 5\n\n1 2 0 0 100 abc\n", "line 3: 'abc' is no number"),
        (CMAPSS, "1 1 0\n", "line 1: 3 columns"),
        (CMAPSS, "\n", "has no rows"),
        (CMAPSS, "1 nan 0 0 100 5\n", "line 1: no cycle"),
        (CSV, "u,t,a\nx,1,2\nx,2,oops\n", "line 3: 'oops' in column 'a' is no number"),
        (CSV, "u,t,a\nx,1\n", "line 2: 2 columns where the header has 3"),
        (CSV, "u,t,a\nx,,1\n", "line 2: no time in column 't'"),
        (CSV, "u,t,t\nx,1,1\n", "line 1: two columns are called 't'"),
        (CSV, "u,t,a\nx,1,north\n", "no column of numbers is left"),
    ],
)
def test_a_wrong_table_is_told_with_its_line(tmp_path: Path, form: str, text: str, said: str) -> None:
    path = tmp_path / "table"
    path.write_text(text)
    with pytest.raises(StackError) as told:
        read_units(path, form, Layout())
    assert said in str(told.value)


def test_repeated_and_late_rows_change_nothing(tmp_path: Path) -> None:
    lines = [f"1 {i} 0 0 100 {i * i % 7} {i}" for i in range(1, 30)]
    plain, mixed = tmp_path / "plain", tmp_path / "mixed"
    plain.write_text("\n".join(lines))
    mixed.write_text("\n".join([*lines[:9], lines[3], *lines[10:15], lines[9], *lines[15:]]))
    (one,), (other,) = (read_units(path, CMAPSS, Layout())[0].units for path in (plain, mixed))
    for mine, theirs in zip(one[1:], other[1:], strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_unit_that_reports_half_as_often_is_told_about_the_same() -> None:
    model, fresh = small_model(), records(20, 12)
    off = []
    for record in fresh.units:
        thin = Record(record.unit, *(column[(len(record.time) - 1) % 2 :: 2] for column in record[1:]))
        off.append(model.predict(thin).rul[-10:] - model.predict(record).rul[-20::2][-10:])
    assert abs(float(np.mean(off))) < 2.0
    assert float(np.sqrt(np.mean(np.square(off)))) < 6.0


def test_units_that_fail_in_two_ways_have_a_health_index_for_each() -> None:
    one, two = records(16, 4), records(16, 5)
    # The second way leaves the first sensor alone and moves another one the other way.
    turned = [unit._replace(unit=f"b{unit.unit}", sensors=unit.sensors[:, [3, 1, 4, 0, 2, 5]]) for unit in two.units]
    both = [*one.units, *turned]
    z = [learn_conditions(both).deviations(unit) for unit in both]
    told = modes(z)
    assert [set(way) for way in told] == [set(range(16)), set(range(16, 32))]
    assert len(modes(z[:16])) == len(modes(z[16:])) == 1
    mixed = fit(Records(both, one.settings, one.sensors), seed=3, cap=60.0, rules=SMALL)
    assert {part.indices.weights.shape[1] for part in mixed.parts} == {4 + 2 + 1}
    assert {part.indices.weights.shape[1] for part in small_model().parts} == {4}
