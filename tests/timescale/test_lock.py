"""What the run installs from npm is pinned by version and hash, wherever it comes from."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_lock_names_no_registry_and_hashes_everything() -> None:
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in text
    packages = json.loads(text)["packages"]
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    installed = {name.removeprefix("node_modules/"): package for name, package in packages.items() if name}
    assert installed.keys() == wanted.keys()
    for name, package in installed.items():
        assert package["version"] == wanted[name]
        assert package["integrity"].startswith("sha512-")
        assert package["dev"] is True
