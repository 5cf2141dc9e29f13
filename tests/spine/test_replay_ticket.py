"""`wellkept replay-ticket` makes a stored decision again, to the last bit, and says where one was tampered with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import LiteralString

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
