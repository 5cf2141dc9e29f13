"""Loads and validates the catalogue; an error names file, line, key and what is allowed."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import msgspec
import yaml

from telemetry.catalogue.guide import guide_problems
from telemetry.catalogue.measure import measure_problems
from telemetry.catalogue.model import KindSpec
from telemetry.errors import CatalogueError

LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
"""The same values from both; the one in C reads the catalogue ten times as fast."""
_HERE = Path(__file__).parent
_PATH = re.compile(r" - at `\$?\.?(?P<path>[^`]*)`")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All kinds, and a hash that changes whenever any file does."""

    kinds: dict[str, KindSpec]
    hash: str
    texts: dict[str, str] = field(default_factory=dict, repr=False)
    """Each kind's file, for the line of an error that only its user can find."""

    def __getitem__(self, kind: str) -> KindSpec:
        """The kind's tables.

        Raises:
            KeyError: the kind is not in the catalogue.
        """
        return self.kinds[kind]

    def __contains__(self, kind: str) -> bool:
        return kind in self.kinds

    def skus(self) -> list[str]:
        """Every part that a repair may need, sorted."""
        faults = (fault for kind in self.kinds.values() for fault in kind.faults.values())
        return sorted({part.sku for fault in faults for part in fault.parts})

    def error(self, kind: str, key: str, detail: str) -> CatalogueError:
        """What to raise when a kind's page asks for what does not exist, e.g. an estimator; `key` is dotted."""
        text = self.texts.get(kind)
        line = None if text is None else _line_of(yaml.compose(text, Loader=LOADER), key)
        return CatalogueError(f"{kind}.yaml", key, detail, line)


def load_catalogue(folder: Path | None = None) -> Catalogue:
    """Load every `*.yaml` of a folder, by default the product's own.

    Raises:
        CatalogueError: a file is not valid; names file, line, key and what is allowed.
    """
    digest = hashlib.sha256()
    kinds: dict[str, KindSpec] = {}
    texts: dict[str, str] = {}
    for path in sorted((folder or _HERE).glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        digest.update(path.name.encode() + b"\0" + text.encode() + b"\0")
        kinds[path.stem] = load_kind(text, path.name)
        texts[path.stem] = text
    return Catalogue(kinds, digest.hexdigest(), texts)


@lru_cache(maxsize=64)
def load_kind(text: str, file: str) -> KindSpec:
    """Validate one kind's file; the same text is read once, as every part of a process asks for the catalogue.

    Raises:
        CatalogueError: as `load_catalogue`.
    """
    try:
        loader = LOADER(text)
        node = loader.get_single_node()
        raw = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as cause:
        line = cause.problem_mark.line + 1 if cause.problem_mark else None
        raise CatalogueError(file, "syntax", str(cause.problem), line) from cause
    try:
        kind = msgspec.convert(raw, KindSpec)
    except msgspec.ValidationError as cause:
        found = _PATH.search(str(cause))
        path = found["path"] if found else ""
        raise CatalogueError(file, path or "(top)", _PATH.sub("", str(cause)), _line_of(node, path)) from cause
    for key, detail in _problems(kind, file):
        raise CatalogueError(file, key, detail, _line_of(node, key))
    return kind


def _line_of(node: yaml.Node | None, path: str) -> int | None:
    """The line of the deepest part of a dotted path that the document holds."""
    line: int | None = None
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(node, yaml.MappingNode):
            below = next(((k, v) for k, v in node.value if k.value == part), None)
            if below is None:
                break
            line, node = below[0].start_mark.line + 1, below[1]
        elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _problems(kind: KindSpec, file: str) -> Iterator[tuple[str, str]]:
    if kind.kind != Path(file).stem:
        yield "kind", f"is {kind.kind!r}; it must equal the file's name {Path(file).stem!r}"
    yield from reference_problems(kind)


def reference_problems(kind: KindSpec) -> Iterator[tuple[str, str]]:
    """What single fields cannot say: references between a kind's tables, as dotted key and what is wrong."""
    for name, channel in kind.channels.items():
        if channel.low >= channel.high:
            yield f"channels.{name}", "low must be below high"
    if kind.cycle is not None and kind.cycle.channel not in kind.channels:
        yield "cycle.channel", f"{kind.cycle.channel!r} is not one of {', '.join(kind.channels)}"
    yield from _feature_problems(kind)
    yield from _fault_problems(kind)
    yield from _river_problems(kind)
    yield from measure_problems(kind)
    signatures = [(f"faults.{name}", fault.signature) for name, fault in kind.faults.items()]
    signatures += [(f"confounders.{name}", cause.signature) for name, cause in kind.confounders.items()]
    for key, signature in signatures:
        for effect in signature:
            if effect.feature not in kind.features:
                yield f"{key}.signature", f"{effect.feature!r} is not one of {', '.join(kind.features)}"
    for name, fault in kind.faults.items():
        if fault.shown_by is not None and fault.shown_by not in kind.features:
            yield f"faults.{name}.shown_by", f"{fault.shown_by!r} is not one of {', '.join(kind.features)}"


def _feature_problems(kind: KindSpec) -> Iterator[tuple[str, str]]:
    for name, feature in kind.features.items():
        if len(feature.explained_by) != len(feature.slopes):
            yield f"features.{name}.slopes", "needs one number for each of explained_by"
        for other in feature.explained_by:
            if other not in kind.features:
                yield f"features.{name}.explained_by", f"{other!r} is not one of {', '.join(kind.features)}"
    for number, spec in enumerate(kind.aftermath):
        for key, names in (("feature", (spec.feature,)), ("until", (spec.until,)), ("hides", spec.hides)):
            for other in names:
                if other not in kind.features:
                    yield f"aftermath[{number}].{key}", f"{other!r} is not one of {', '.join(kind.features)}"


def _river_problems(kind: KindSpec) -> Iterator[tuple[str, str]]:
    """An estimator sees what the kind has, and speaks for a fault of whose family nobody else speaks."""
    seen = kind.features if kind.detector == "cycles" else kind.channels
    families = Counter(fault.family for fault in kind.faults.values())
    spoken: set[str] = set()
    for number, spec in enumerate(kind.river):
        key = f"river[{number}]"
        if kind.cycle is not None and kind.cycle.adaptive:
            yield key, "a kind that learns its thresholds has no such detectors"
        for name in spec.sees:
            if name not in seen:
                yield f"{key}.sees", f"{name!r} is not one of {', '.join(seen)}"
        fault = kind.faults.get(spec.fault)
        if fault is None:
            yield f"{key}.fault", f"{spec.fault!r} is not one of {', '.join(kind.faults)}"
        elif fault.signature or fault.events or families[fault.family] > 1:
            yield f"{key}.fault", f"{spec.fault!r} needs a family of its own, and neither signature nor events"
        if spec.fault in spoken:
            yield f"{key}.fault", f"another estimator speaks for {spec.fault!r}"
        spoken.add(spec.fault)


def _fault_problems(kind: KindSpec) -> Iterator[tuple[str, str]]:
    for name, fault in kind.faults.items():
        if (fault.verify.cycles is None) == (fault.verify.hours is None):
            yield f"faults.{name}.verify", "set exactly one of cycles and hours"
        if fault.lead_days[0] > fault.lead_days[1]:
            yield f"faults.{name}.lead_days", "the first must not exceed the second"
        for detail in guide_problems(fault.self_fix):
            yield f"faults.{name}.self_fix", detail
