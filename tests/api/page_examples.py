"""The examples of a page of docs/, run as a reader would: each says beforehand what it prints."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

_END = "---- end of an example"


def page_of(name: str) -> str:
    """A page's text."""
    return (Path(__file__).parents[2] / "docs" / name).read_text()


def run_examples(name: str, environment: Mapping[str, str], folder: Path) -> str:
    """Run a page's examples, one after the other in one shell; each prints the lines that the page shows, in order.

    Args:
        name: of the page below docs/.
        environment: in addition to our own.
        folder: where they run.

    Returns:
        All that they printed.
    """
    for program in ("bash", "curl", "jq"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program}: install it, the examples of docs/{name} use it")
    page = page_of(name)
    examples = re.findall(r"```sh\n(.*?)```\n```text\n(.*?)```", page, re.DOTALL)
    assert len(examples) == page.count("```sh") >= 6
    run = subprocess.run(  # noqa: S603  (our own page)
        ["bash", "-c", "set -euo pipefail\n" + "".join(f"{code}\necho '{_END}'\n" for code, _ in examples)],  # noqa: S607  (the reader's own shell)
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    for (code, expected), output in zip(examples, run.stdout.split(_END), strict=False):
        at = 0
        for line in expected.splitlines():
            found = output.find(line, at)
            assert found >= 0, f"{line!r} is not in the output of\n{code}\nwhich is\n{output}\n{run.stderr}"
            at = found + len(line)
    return run.stdout
