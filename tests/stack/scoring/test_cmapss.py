"""The score of remaining life: error, bands, blind controls, and what is said where files are missing."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from detectors.rul.records import Record, Records
from stack.errors import StackError
from stack.scoring.cmapss import Subset, Told, band_rows, blind, cmapss, nasa_score, read_subset, rmse


def subset(lives: list[int], seen: list[int], left: list[float]) -> Subset:
    def record(unit: int, rows: int) -> Record:
        return Record(str(unit), np.arange(1.0, rows + 1), np.zeros((rows, 3)), np.zeros((rows, 1)))

    def table(sizes: list[int]) -> Records:
        return Records([record(i, rows) for i, rows in enumerate(sizes, 1)], ("a", "b", "c"), ("s",))

    return Subset("FD009", table(lives), table(seen), np.array(left))


def test_late_costs_more_than_early() -> None:
    truth = np.array([50.0])
    assert nasa_score(truth, truth) == 0.0
    assert nasa_score(truth + 10, truth) == pytest.approx(np.e - 1)
    assert nasa_score(truth - 13, truth) == pytest.approx(np.e - 1)


def test_the_truth_is_capped_on_request() -> None:
    guess, truth = np.array([125.0, 20.0]), np.array([145.0, 20.0])
    assert rmse(guess, truth, 125.0) == 0.0
    assert rmse(guess, truth, np.inf) == pytest.approx(np.sqrt(200.0))


def test_blind_controls_know_the_age_alone() -> None:
    found = blind(subset([100, 200, 200], [150, 30, 260], [50, 170, 9]))
    assert set(found) == {
        "constant (training mean)",
        "age only (training mean at that age)",
        "position (median life less age)",
    }
    assert found["position (median life less age)"].tolist() == [50.0, 125.0, 0.0]
    assert len(set(found["constant (training mean)"])) == 1
    by_age = found["age only (training mean at that age)"]
    assert by_age[0] == pytest.approx(50.0, abs=2.0)
    assert np.isfinite(by_age).all()


def test_coverage_is_told_by_band_at_the_last_row_and_at_all() -> None:
    told = Told(
        engine=np.array([0, 0, 1, 1]),
        last=np.array([False, True, False, True]),
        truth=np.array([11.0, 10.0, 141.0, 140.0]),
        rul=np.array([12.0, 12.0, 125.0, 120.0]),
        low=np.array([9.0, 11.0, 100.0, 100.0]),
        high=np.array([15.0, 13.0, 130.0, 150.0]),
    )
    rows = {row["life"]: row for row in band_rows("FD009", [told, told], "predicted")}
    assert rows["0–25"]["last n"] == 1
    assert rows["0–25"]["last hold"] == 0.0
    assert rows["0–25"]["every hold"] == 0.5
    assert rows["0–25"]["every width"] == 4.0
    assert rows["25–50"]["last hold"] is None
    # Both count as 125 where the truth is capped; as itself 141 lies above 130.
    assert rows["100–125"]["every hold"] == 1.0
    assert rows["100–125"]["uncapped"] == 0.5
    assert rows["100–125"]["every width"] == 25.0


def test_missing_files_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "CMAPSS"
    folder.mkdir()
    with pytest.raises(StackError, match=r"no train_FD001\.txt"):
        cmapss(tmp_path)
    rows = "\n".join(f"1 {i} 0 0 100 5 {i}" for i in range(1, 9))
    for name in ("train", "test"):
        (folder / f"{name}_FD001.txt").write_text(rows)
    with pytest.raises(StackError, match=r"RUL_FD001\.txt cannot be read"):
        read_subset(folder, "FD001")
    (folder / "RUL_FD001.txt").write_text("12\n13\n")
    with pytest.raises(StackError, match="2 lives for 1 test engines"):
        read_subset(folder, "FD001")


@pytest.mark.data
@pytest.mark.long
def test_turbofans_are_told_far_better_than_by_age() -> None:
    data = Path(os.environ.get("WELLKEPT_DATA", Path(__file__).parents[3].parent / "shared" / "data"))
    if not (data / "CMAPSS").is_dir():
        pytest.skip(f"no C-MAPSS under {data}: set WELLKEPT_DATA, see docs/results.md")
    found = cmapss(data, seeds=(0,), only=("FD001",))
    assert found.figures["FD001 RMSE"].value < 11.5
    assert found.controls["age only (training mean at that age)"]["FD001 RMSE"].value > 25
    assert 0.85 < found.figures["FD001 coverage, last cycle"].value < 0.98
