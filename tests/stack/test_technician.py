"""`wellkept technician` and `wellkept area` on a database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from servicedesk.errors import UnknownError
from stack import cli_technician
from stack.cli import app
from storage.desk import seed_demo
from storage.pool import Connection, connect

RUN = CliRunner()


@pytest.fixture
def conn(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    own = connect(database_url, application="test")
    seed_demo(own, "demo", tz="Asia/Shanghai")

    @contextmanager
    def given(_data_dir: object) -> Iterator[Connection]:
        yield own

    monkeypatch.setattr(cli_technician, "database", given)
    yield own
    own.close()


def run(*words: str) -> dict[str, object]:
    found = RUN.invoke(app, [*words, "--json"], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    result: dict[str, object] = json.loads(found.stdout)
    return result


def run_list() -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(RUN.invoke(app, ["technician", "list", "--json"]).stdout)
    return found


def test_what_planning_knows_is_entered_by_command(conn: Connection) -> None:
    name = "Jonas Weber"
    done = run("technician", "skill", name, "cooling", "--until", "2027-03-31", "--trained", "2025-03-01")
    assert done["skills"] == {"cooling": "2027-03-31", "laundry": None}
    assert run("technician", "home", name, "31.2", "121.4")["home"] == [31.2, 121.4]
    run("technician", "van", name, "RF-FAN-120", "2")
    run("technician", "away", name, "--from", "2026-12-01", "--to", "2026-12-08T12:00", "--reason", "holiday")
    run("area", "Xuhui", "31.19", "121.44")
    van = conn.execute("select sku, on_hand from van_stock").fetchall()
    assert van == [("RF-FAN-120", 2)]
    away = conn.execute("select lower(away)::text, reason from technician_absence").fetchall()
    assert [(str(start)[:13], reason) for start, reason in away] == [("2026-11-30 16", "holiday")]
    assert conn.execute("select name, latitude from area").fetchall() == [("Xuhui", 31.19)]
    (own,) = [row for row in run_list() if row["name"] == name]
    assert own["van"]
    assert "31.2, 121.4" in RUN.invoke(app, ["technician", "list"]).stdout


@pytest.mark.usefixtures("conn")
def test_mistakes_name_what_there_is() -> None:
    with pytest.raises(UnknownError, match="Jonas Weber"):
        RUN.invoke(app, ["technician", "home", "Nobody", "1", "2"], catch_exceptions=False)
    with pytest.raises(UnknownError, match="cooling, laundry"):
        RUN.invoke(app, ["technician", "skill", "Jonas Weber", "pumps"], catch_exceptions=False)
    backwards = RUN.invoke(app, ["technician", "away", "Jonas Weber", "--from", "2026-12-02", "--to", "2026-12-01"])
    assert backwards.exit_code == 2
