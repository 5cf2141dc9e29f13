"""`wellkept audit verify` on a database: what somebody with all rights changes is found and named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from servicedesk.audit import record
from stack.cli import app
from storage.desk import PgDesk
from storage.pool import connect
from tests.servicedesk.world import START

_FORGE = """
alter table audit_log disable trigger audit_log_keep;
update audit_log set content = replace(content, 'ana', 'eve') where seq = 2;
alter table audit_log enable trigger audit_log_keep
"""


def verify(*more: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(app, ["audit", "verify", "--json", *more])
    return done.exit_code, json.loads(done.stdout)


def test_the_chain_is_recomputed_and_the_first_broken_row_named(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WELLKEPT_DATABASE_URL", database_url)
    assert verify() == (0, {"rows": 0, "head": "0" * 64, "intact": True, "first_broken": None, "why": None})
    # Each in a transaction of its own, as requests are: sealed at the commit.
    for number in range(3):
        with connect(database_url, application="test") as conn:
            record(PgDesk(conn), "read", START, "staff:ana", "contacts", number=number)
    code, sound = verify()
    assert (code, sound["rows"], sound["intact"]) == (0, 3, True)
    assert verify("--contains", sound["head"])[0] == 0
    code, cut = verify("--contains", "ab" * 32)
    assert (code, cut["intact"], cut["first_broken"]) == (1, False, None)
    with connect(database_url, application="test") as conn:
        conn.execute(_FORGE)
    code, found = verify()
    assert (code, found["rows"], found["first_broken"]) == (1, 1, 2)
    assert "not what was written" in found["why"]


def test_rows_are_chained_in_the_order_of_commits_and_nobody_waits_before(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WELLKEPT_DATABASE_URL", database_url)
    with connect(database_url, application="test") as slow, connect(database_url, application="test") as quick:
        record(PgDesk(slow), "read", START, "staff:ana", "contacts", of="slow")
        record(PgDesk(quick), "read", START, "staff:bo", "contacts", of="quick")
        quick.commit()
        slow.commit()
        told = [json.loads(row.content)["body"]["of"] for row in PgDesk(quick).care.audit.rows()]
    assert told == ["quick", "slow"]
    assert verify()[1]["intact"]
