"""`wellkept replay-ticket` makes a stored decision again, to the last bit, and says where one was tampered with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, LiteralString

import pytest
from typer.testing import CliRunner

from stack.cli import app
from stack.errors import StackError
from telemetry.control import ControlKind
from tests.detectors.streams import faulty
from tests.spine.decided import Worker

pytestmark = pytest.mark.stack


@pytest.fixture
def decided(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A plug's ticket; the worker was restarted on the way, and a repair was reported."""
    monkeypatch.setenv("WELLKEPT_DATABASE_URL", database_url)
    worker = Worker(database_url, "smart_plug")
    stream = faulty("smart_plug")
    worker.tell(stream[:500])
    worker.restart()
    worker.tell(stream[500:1150])
    assert worker.tickets
    worker.control(ControlKind.REPAIR_DONE, {"family": worker.tickets[0].family, "fault": None})
    worker.tell(stream[1150:])
    yield worker
    worker.close()


def replay(name: str) -> tuple[int, dict[str, object]]:
    done = CliRunner().invoke(app, ["replay-ticket", name, "--json"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, json.loads(done.stdout)


def test_a_decision_is_made_again_bit_for_bit(decided: Worker) -> None:
    ticket = decided.tickets[0]
    code, found = replay(ticket.ref)
    assert found["first_difference"] is None
    assert code == 0
    assert found["equal"] is True
    assert found["ticket"] == ticket.ref
    assert isinstance(found["revisions"], int)
    assert found["revisions"] > 1
    assert replay(str(ticket.finding)) == (code, found)


def changed(worker: Worker, statement: LiteralString) -> tuple[int, dict[str, object]]:
    """What a replay says after one more change of the database."""
    worker.conn.execute(statement)
    worker.conn.commit()
    return replay(worker.tickets[0].ref)


def test_what_was_changed_since_is_named(decided: Worker) -> None:
    code, found = changed(
        decided, "update ticket_event set body = jsonb_set(body, '{visit_cost}', '1') where kind = 'opened'"
    )
    first = found["first_difference"]
    assert isinstance(first, dict)
    assert (code, first["revision"], first["where"]) == (1, None, "ticket.visit_cost")
    code, found = changed(
        decided,
        "update finding_revision set body = jsonb_set(body, '{causes,0,probability}', '0.5') where revision = 0",
    )
    first = found["first_difference"]
    assert isinstance(first, dict)
    assert (code, first["revision"], first["where"], first["stored"]) == (1, 0, "causes[0].probability", 0.5)
    code, found = changed(decided, "delete from reading_smart_plug where seq between 200 and 240")
    assert (code, found["equal"]) == (1, False)
    with pytest.raises(StackError, match="goes back to no finding"):
        replay("WK-9")


@pytest.mark.long
def test_a_ticket_that_had_to_wait_is_made_again_from_the_revision_that_stood_then(decided: Worker) -> None:
    """A due thing opens it between two revisions; tickets from before this was noted are told by the time."""
    conn, ticket = decided.conn, decided.tickets[0]
    rows: list[Any] = conn.execute(
        "select revision, arrived from finding_revision where finding = %s order by revision", (ticket.finding,)
    ).fetchall()
    second, third = rows[1][1], rows[2][1]
    between = second + (third - second) / 2
    noted: Any = conn.execute(
        "select body from ticket_event where ticket = %s and kind = 'opened'", (ticket.id,)
    ).fetchone()
    assert noted is not None
    assert noted[0]["revision"] == 0
    conn.execute("update ticket set opened = %s where id = %s", (between, ticket.id))
    code, _ = changed(decided, "select 1")
    assert code == 0
    code, found = changed(decided, "update ticket_event set body = body - 'revision' where kind = 'opened'")
    first = found["first_difference"]
    # The second revision stood then, and it has a cost of its own.
    assert isinstance(first, dict)
    assert (code, first["revision"], first["where"]) == (1, None, "ticket.expected_cost")
    assert isinstance(first["replayed"], float)
