"""The command: every verb explains itself with an example, and errors are one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from stack.cli import app
from tests.verbs import verbs

VERBS = dict(verbs(typer.main.get_command(app)))


def test_the_verbs_that_the_documents_name_are_there() -> None:
    assert {"up", "demo", "status", "doctor", "migrate", "token new", "device add", "dead-letter replay"} <= set(VERBS)


@pytest.mark.parametrize("name", sorted(VERBS))
def test_each_verb_has_help_with_an_example(name: str) -> None:
    assert VERBS[name].help
    assert (VERBS[name].epilog or "").startswith("Example: ")


def wellkept(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  (our own interpreter)
        [sys.executable, "-c", "from stack.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_status_of_nothing_is_json(tmp_path: Path) -> None:
    done = wellkept("status", "--json", "--data-dir", str(tmp_path))
    assert done.returncode == 0
    assert json.loads(done.stdout)["running"] is False


def test_an_error_is_a_sentence_that_says_what_to_do(tmp_path: Path) -> None:
    done = wellkept("token", "new", "--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert "wellkept up" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_option_is_explained() -> None:
    done = wellkept("status", "--jason")
    assert done.returncode == 2
    assert "--jason" in done.stderr
    assert "Traceback" not in done.stderr
