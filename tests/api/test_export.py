"""Tables that leave: lists as CSV by `Accept`, and `wellkept export` as CSV and Parquet."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from stack.cli import app as command
from storage.pool import connect
from telemetry.table_text import cell, flat
from tests.api.case import NOW, Seeded


def wellkept(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(command, ["export", *arguments], env={"WELLKEPT_DATABASE_URL": url, "COLUMNS": "200"})


def test_tables_leave_as_csv_and_as_parquet_without_names(database_url: str, seeded: Seeded, tmp_path: Path) -> None:
    with connect(database_url, application="test") as conn:
        conn.execute("update ticket set reason = '=1+1'")
    told = wellkept(database_url, "tickets")
    assert told.exit_code == 0, told.output
    (row,) = csv.DictReader(io.StringIO(told.stdout))
    assert (row["ref"], row["device"], row["reason"], row["safety"]) == (seeded.ref, "demo/fridge-1", "'=1+1", "false")
    assert datetime.fromisoformat(row["opened"]) <= NOW
    assert "Lin" not in told.stdout
    out = tmp_path / "new" / "tickets.parquet"
    said = wellkept(database_url, "tickets", "--out", str(out), "--json")
    assert json.loads(said.stdout) == {"rows": 1, "file": str(out), "format": "parquet"}
    table = pq.read_table(out)
    assert table.column("id").to_pylist() == [str(seeded.ticket)]
    assert str(table.schema.field("opened").type) == "timestamp[us, tz=UTC]"
    assert str(table.schema.field("severity").type) == "int64"
    late = wellkept(database_url, "tickets", "--from", "2027-01-01")
    assert late.stdout.count("\n") == 1  # the names of columns
    assert wellkept(database_url, "tickets", "--org", "elsewhere").stdout == late.stdout
    with connect(database_url, application="test") as conn:
        for i in range(3):
            conn.execute(
                "insert into reading_refrigerator (device, t, epoch, seq, sub, arrival, power)"
                " values (%s, %s, 1, %s, 0, %s, %s)",
                (seeded.device.no, NOW, i, NOW, 90.5 + i),
            )
    (found,) = csv.DictReader(io.StringIO(wellkept(database_url, "findings").stdout))
    assert (found["id"], float(found["score"]), found["history"]) == (seeded.finding.id, 0.9995, "false")
    out = tmp_path / "fridge.parquet"
    said = wellkept(database_url, "readings", "refrigerator", "--device", "demo/fridge-1", "--out", str(out))
    assert said.exit_code == 0, said.output
    assert pq.read_table(out).column("power").to_pylist() == [90.5, 91.5, 92.5]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["tickets", "--format", "parquet"], "Parquet goes into a file"),
        (["tickets", "--format", "xls"], "csv or parquet"),
        (["tickets", "--json"], "add --out"),
        (["tickets", "--from", "2026-11-02", "--to", "2026-11-01"], "--to is not after --from"),
        (["readings", "toaster"], "is not in the catalogue"),
        (["readings", "refrigerator", "--device", "fridge"], "is not ORG/DEVICE"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(arguments: list[str], says: str) -> None:
    told = wellkept("postgresql://127.0.0.1:1/none", *arguments)
    assert told.exit_code != 0
    # A sentence may be broken over the lines of its frame.
    assert says in " ".join(f"{told.output} {told.exception}".replace("│", " ").split())


def test_a_list_is_csv_where_it_is_asked_for(http: httpx.Client, seeded: Seeded) -> None:
    auth = {"Authorization": f"Bearer {seeded.tokens['admin']}"}
    told = http.get("/v1/visits", headers={**auth, "Accept": "text/csv"})
    assert (told.headers["content-type"], told.headers["vary"]) == ("text/csv; charset=utf-8", "Authorization, Accept")
    (row,) = csv.DictReader(io.StringIO(told.text))
    assert (row["id"], row["state"], row["window.start"][-1]) == (str(seeded.visit), "proposed", "Z")
    assert row["legal"].split(";")
    again = http.get("/v1/visits", headers={**auth, "Accept": "text/csv", "If-None-Match": told.headers["etag"]})
    assert again.status_code == 304
    for accept in ("application/json, text/csv", "*/*", "text/html"):
        assert http.get("/v1/visits", headers={**auth, "Accept": accept}).headers["content-type"] == "application/json"


def test_no_cell_is_a_formula_and_numbers_stay_numbers() -> None:
    for text in ("=1", "+1", "-1", "@x", "\tx", "\rx"):
        assert cell(text) == "'" + text
    assert [cell(each) for each in (None, True, -1, -1.5, ["a", "b"], [1], "a=b")] == [
        "",
        "true",
        "-1",
        "-1.5",
        "a;b",
        "[1]",
        "a=b",
    ]
    assert flat({"a": 1, "b": {"c": {"d": 2}, "e": []}, "f": {}}) == {"a": 1, "b.c.d": 2, "b.e": [], "f": {}}
