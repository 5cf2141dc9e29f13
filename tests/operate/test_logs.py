"""One word from a message to its notice, through every process's log; and never a secret."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from typer.testing import CliRunner

from stack.cli import app
from stack.cli_trace import log_lines, parse_message
from stack.errors import StackError
from stack.process import free_port
from stack.run_state import RunState, load
from storage.pool import connect
from telemetry import logs
from tests.faults.auditor import has_ticket
from tests.spine.rig import Publisher, Rig, make_folder, wait_for

SPEAK = """
import structlog, logging
from telemetry import logs
logs.set_up("speaker")
log = structlog.get_logger()
log.info("hello", url="nats://worker:hunter2@127.0.0.1:1", token="hunter2", link="http://x/o/hunter2hunter2",
         nested={"password": "hunter2", "list": ["Bearer hunter2hunter2"]},
         error=repr(OSError("password=hunter2")), n=1)
log.debug("deep")
logging.getLogger("library").warning("it says postgresql://u:hunter2@h/d")
try:
    raise ValueError("mqtt://u:hunter2@h")
except ValueError:
    log.exception("broken")
"""


def speak(**environment: str) -> list[dict[str, Any]]:
    done = subprocess.run(  # noqa: S603  (our own interpreter)
        [sys.executable, "-c", SPEAK],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "WELLKEPT_LOG_LEVEL": "", **environment},
        cwd=Path(__file__).parents[2],
    )
    assert "hunter2" not in done.stdout + done.stderr
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_lines_are_json_with_their_process_and_without_secrets() -> None:
    hello, library, broken = speak()
    assert (hello["event"], hello["process"], hello["level"], hello["n"]) == ("hello", "speaker", "info", 1)
    assert hello["url"] == "nats://worker:***@127.0.0.1:1"
    assert hello["nested"] == {"password": "***", "list": ["Bearer ***"]}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", hello["timestamp"])
    assert (library["level"], library["process"]) == ("warning", "speaker")
    assert "ValueError: mqtt://u:***@h" in broken["exception"]


def test_the_level_is_told_by_the_environment() -> None:
    assert [line["event"] for line in speak(WELLKEPT_LOG_LEVEL="debug")][1] == "deep"
    assert [line["event"] for line in speak(WELLKEPT_LOG_LEVEL="error")] == ["broken"]
    assert logs.level_of("nonsense") == logging.INFO


def test_a_correlation_id_is_four_parts() -> None:
    assert parse_message(logs.correlation("acme", "fridge-7", 3, 120)) == ("acme", "fridge-7", 3, 120)
    for wrong in ("acme/fridge-7/3", "acme/fridge-7/x/1", "acme/fr.idge/3/1", ""):
        with pytest.raises(StackError, match="is not ORG/DEVICE/EPOCH/SEQ"):
            parse_message(wrong)


class Mailboxes(Message):
    """Keeps what is handed over."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Any] = []

    def handle_message(self, message: Any) -> None:  # noqa: ANN401  (the library's)
        self.taken.append(message)


@pytest.fixture(scope="module")
def mail() -> Iterator[tuple[Mailboxes, int]]:
    boxes, port = Mailboxes(), free_port()
    server = Controller(boxes, hostname="127.0.0.1", port=port)
    server.start()
    yield boxes, port
    server.stop()


@pytest.fixture(scope="module")
def running(mail: tuple[Mailboxes, int]) -> Iterator[Rig]:
    folder = make_folder()
    patch = pytest.MonkeyPatch()
    patch.setenv("WELLKEPT_LOG_LEVEL", "debug")
    patch.setenv("WELLKEPT_SMTP_URL", f"smtp://127.0.0.1:{mail[1]}")
    one = Rig(folder)
    try:
        one.start_all()
        yield one
    finally:
        one.stop()
        patch.undo()
        if one.supervisor.postgres is not None:
            one.supervisor.postgres.remove()


def with_owner(url: str, device: str) -> None:
    """Give a device a household with an address."""
    with connect(url, application="test") as conn:
        household = conn.execute(
            "insert into household (id, org, name, tz, quiet_from, quiet_to, registered) "
            "values (gen_random_uuid(), 'demo', 'Chen', 'UTC', '00:00', '00:00', now()) returning id"
        ).fetchone()
        assert household is not None
        conn.execute(
            "insert into contact (id, household, name, email) values (gen_random_uuid(), %s, 'Chen', 'chen@home.test')",
            household,
        )
        conn.execute("update device set household = %s where device = %s", (household[0], device))


def told(url: str) -> bool:
    try:
        with connect(url, application="test") as conn:
            return conn.execute("select 1 from notice where sent is not null").fetchone() is not None
    except psycopg.OperationalError:
        return False


@pytest.fixture(scope="module")
def leaking(running: Rig, tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """The fourth message of a device brought about a ticket and a notice, which was handed over."""
    running.register("washing_machine", ["washer-1"])
    with_owner(running.database_url, "washer-1")
    devices = Publisher(running, tmp_path_factory.mktemp("spool"), ["washer-1"], 0.0)
    for _ in range(3):
        devices.say("washer-1")
    devices.say("washer-1", "leak")
    wait_for(partial(has_ticket, running.database_url, "washer-1"), 30, "a ticket")
    wait_for(lambda: told(running.database_url), 30, "a notice that was handed over")
    devices.end()
    return running


@pytest.mark.stack
def test_one_word_leads_from_the_message_to_the_notice(leaking: Rig, mail: tuple[Mailboxes, int]) -> None:
    word = "demo/washer-1/1/4"
    data_dir = leaking.supervisor.data_dir

    lines = list(log_lines(data_dir / "logs", word))
    assert next(line["process"] for line in lines if line["event"] == "block") == "ingest"
    finding = next(line for line in lines if line["event"] == "finding")
    assert (finding["process"], finding["family"]) == ("worker-1", "leak")
    assert finding["ticket"] is not None
    assert {line["task"] for line in lines if line["event"] == "job"} >= {"deliver", "plan_visit"}
    assert {message["X-Wellkept-Correlation"] for message in mail[0].taken} == {word}

    for name in (word, finding["ticket"], finding["finding"]):
        result = CliRunner().invoke(app, ["trace", name, "--data-dir", str(data_dir), "--json"])
        assert result.exit_code == 0, result.output
        found = json.loads(result.stdout)
        assert found["correlation"] == word
        met = {step["what"] for step in found["steps"]}
        assert {"event", "receipt", "finding", "ticket", "timeline", "notice"} <= met
        assert len(found["log"]) == len(lines)
    plain = CliRunner().invoke(app, ["trace", finding["ticket"], "--data-dir", str(data_dir)])
    assert plain.exit_code == 0
    assert word in plain.output
    assert CliRunner().invoke(app, ["trace", "WK-9999", "--data-dir", str(data_dir)]).exit_code != 0


@pytest.mark.stack
def test_no_log_holds_a_secret_of_the_product(leaking: Rig) -> None:
    state = load(leaking.supervisor.data_dir)
    assert isinstance(state, RunState)
    passwords = {match[1] for url in state.secrets.values() if (match := re.search(r"://[^:/]+:([^@]+)@", url))}
    assert len(passwords) >= 3
    with connect(leaking.database_url, application="test") as conn:
        links = [str(row[0]) for row in conn.execute("select link from notice")]
    assert links
    secrets = passwords | {link.rpartition("/o/")[2] for link in links}
    written = list((leaking.supervisor.data_dir / "logs").glob("*.log"))
    assert len(written) >= 3
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert text
        assert not [secret for secret in secrets if secret in text], path
        for line in text.splitlines():
            assert json.loads(line)["process"], "each line is one JSON object"
