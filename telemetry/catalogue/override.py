"""A catalogue with some entries changed: configurations of detectors that are tried beside the product's own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from telemetry.catalogue.load import Catalogue, reference_problems
from telemetry.catalogue.model import KindSpec
from telemetry.errors import CatalogueError

_PATH = re.compile(r" - at `\$?\.?(?P<path>[^`]*)`")


def override(catalogue: Catalogue, path: Path) -> Catalogue:
    """A catalogue in which the entries of a file replace those of the same key; what it does not name stays.

    The file maps kinds to parts of their pages, for example `refrigerator: {tuning: {threshold: 16}}`. Channels stay,
    since readings are stored by them.

    Raises:
        CatalogueError: the file cannot be read or is not valid; names file, key and what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
        given = yaml.safe_load(text) or {}
    except OSError as cause:
        raise CatalogueError(str(path), "(file)", cause.strerror or str(cause)) from cause
    except yaml.YAMLError as cause:
        raise CatalogueError(str(path), "syntax", str(cause)) from cause
    if not isinstance(given, Mapping) or not all(isinstance(part, Mapping) for part in given.values()):
        raise CatalogueError(str(path), "(top)", "must map kinds to parts of their pages")
    kinds = dict(catalogue.kinds)
    for kind, part in given.items():
        if kind not in kinds:
            raise CatalogueError(str(path), str(kind), f"is no kind; there are {', '.join(sorted(kinds))}")
        kinds[kind] = _changed(kinds[kind], part, path)
    digest = hashlib.sha256(f"{catalogue.hash}\0{text}".encode()).hexdigest()
    return Catalogue(kinds, digest)


def _changed(kind: KindSpec, part: Mapping[str, Any], path: Path) -> KindSpec:
    if {"kind", "channels"} & part.keys():
        raise CatalogueError(str(path), f"{kind.kind}.channels", "kind and channels stay as they are")
    try:
        changed = msgspec.convert(_merged(msgspec.to_builtins(kind), part), KindSpec)
    except msgspec.ValidationError as cause:
        found = _PATH.search(str(cause))
        key = f"{kind.kind}.{found['path']}" if found else kind.kind
        raise CatalogueError(str(path), key, _PATH.sub("", str(cause))) from cause
    for key, detail in reference_problems(changed):
        raise CatalogueError(str(path), f"{kind.kind}.{key}", detail)
    return changed


def _merged(page: Any, part: Any) -> Any:  # noqa: ANN401  (YAML values)
    if not isinstance(page, Mapping) or not isinstance(part, Mapping):
        return part
    return {**page, **{key: _merged(page.get(key), value) for key, value in part.items()}}
