"""The handbook: every command that it shows is one that there is, with options that it has; links lead somewhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from firmware_sim.cli import app as sim_app
from stack.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^( *)```(?:sh|bash|console)?\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:WELLKEPT_\w+=\S+ )*wellkept [^`…]+)`")
_SETTING = re.compile(r"^[A-Z_]+=\S*$")
_ENDS = {"&", "&&", "|", ">", ">>", "\\"}


def shown(page: Path) -> Iterator[tuple[str, bool]]:
    """Command lines of `wellkept` on a page, and whether each stands there to be typed or is only spoken of."""
    text = page.read_text(encoding="utf-8")
    for _, block in _BLOCK.findall(text):
        joined = re.sub(r"\\\n\s*", " ", block)
        for line in joined.splitlines():
            # What stands far behind a command explains it.
            plain = re.split(r"\s{3,}", line.strip().removeprefix("$ "))[0]
            if re.match(r"(?:[A-Z_]+=\S+ )*wellkept ", plain):
                yield plain, True
    yield from ((line, False) for line in _INLINE.findall(text))


def words_of(line: str) -> list[str]:
    """Arguments behind `wellkept`."""
    words = shlex.split(line, comments=True)
    while _SETTING.match(words[0]):
        words.pop(0)
    end = next((at for at, word in enumerate(words) if word in _ENDS), len(words))
    return words[1:end]


@cache
def program() -> Any:  # noqa: ANN401  (typer carries a click of its own)
    """The whole command, made once."""
    return typer.main.get_command(app)


@cache
def simulator() -> Any:  # noqa: ANN401  (likewise)
    """`wellkept sim`."""
    return typer.main.get_command(sim_app)


def check(line: str, *, typed: bool = True) -> None:
    """Hold a command line against the program, without running it.

    Args:
        line: as shown.
        typed: whether it is whole; of one that is only spoken of, the command and the options' names are looked at.
    """
    words, context = words_of(line), None
    # The simulator is a program of its own, which `wellkept sim` hands over to.
    command = simulator() if words[:1] == ["sim"] else program()
    words = words[1:] if words[:1] == ["sim"] else words
    while hasattr(command, "commands"):
        context = command.context_class(command, parent=context, info_name=command.name)
        if not words or words[0].startswith("-"):
            return
        name = words.pop(0)
        if name not in command.commands and command.name == "trial":
            # `wellkept trial SCENARIO` is short for `wellkept trial run SCENARIO`.
            words.insert(0, name)
            name = "run"
        assert name in command.commands, f"{line}: there is no {name}"
        command = command.commands[name]
    if typed and not any(re.fullmatch(r"[A-Z][A-Z_]+|.*[\[…].*", word) for word in words):
        command.make_context(command.name, words, parent=context)
        return
    options = {name for param in command.params for name in [*param.opts, *param.secondary_opts]} | {"--help"}
    unknown = [word for word in words if word.startswith("--") and word.split("=")[0] not in options]
    assert not unknown, f"{line}: {unknown} not among {sorted(options)}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_shown_is_one_that_there_is(page: Path) -> None:
    wrong = []
    for line, typed in shown(page):
        try:
            check(line, typed=typed)
        except Exception as error:  # noqa: BLE001  (whatever the parser says)
            # Files of an example need not be there.
            if "does not exist" not in str(error):
                wrong.append(f"{line}: {error}")
    assert wrong == []


def test_there_is_something_to_check() -> None:
    assert sum(1 for page in PAGES for _ in shown(page)) > 150
    for wrong in ("wellkept fly", "wellkept up --higher", "wellkept device add"):
        with pytest.raises(Exception, match=r"(?i)fly|no such option|missing"):
            check(wrong)


def test_every_command_has_help_and_an_example() -> None:
    missing = []

    def walk(command: Any, path: list[str]) -> None:  # noqa: ANN401  (likewise)
        if hasattr(command, "commands"):
            for name, each in command.commands.items():
                walk(each, [*path, name])
            return
        epilog = command.epilog or ""
        if not (command.help and "Example" in epilog):
            missing.append(" ".join(path))

    walk(program(), ["wellkept"])
    assert missing == []


def test_an_error_of_a_user_is_a_sentence() -> None:
    done = subprocess.run(  # noqa: S603  (our own command)
        [sys.executable, "-c", "from stack.cli import main; main()", "adapter", "check", __file__],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")


def test_the_site_builds_and_its_links_lead_somewhere(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603  (our own site)
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "quickstart.html").exists()


def test_examples_of_the_quickstart_run() -> None:
    run = CliRunner().invoke
    assert run(app, ["adapter", "list"]).exit_code == 0
    assert "refrigerant" in run(app, ["sim", "describe", "freezer", "refrigerant_leak"]).output
