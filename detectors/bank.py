"""The bank: the detector of a device from its kind's page, and the version that all of them carry."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import cast

from detectors.cyclic import CyclicDetector
from detectors.engine import DeviceDetector, Observation, Observed, observe_each
from detectors.multichannel import MultichannelDetector, observe_many
from detectors.plants import Plants
from detectors.river_adapter import adapters_of
from detectors.river_watch import RiverDetector
from detectors.segment import warm
from detectors.standby import warm as warm_standby
from telemetry.catalogue import Catalogue, KindSpec
from telemetry.identity import DeviceKey

_NUMERIC = ("llvmlite", "numba", "numpy", "river")


class Bank:
    """Makes detectors. Implements `DetectorFactory`.

    It compiles the loops over rows, or takes them from their cache, before the first message comes.

    Args:
        catalogue: decides priors, signatures and tuning; part of the version.

    Raises:
        CatalogueError: a kind asks for an estimator of river that there is not.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self.version = _version(catalogue)
        warm()
        warm_standby()
        self._plants = {kind.kind: Plants(kind) for kind in catalogue.kinds.values() if kind.detector != "cycles"}
        self._river = {kind.kind: adapters_of(catalogue, kind) for kind in catalogue.kinds.values() if kind.river}

    def __call__(self, key: DeviceKey, kind: KindSpec) -> DeviceDetector:
        """A fresh detector: catalogue priors, nothing observed."""
        own = self._own(key, kind)
        if kind.river:
            return RiverDetector(key, kind, self.version, own, self._river[kind.kind])
        return own

    def _own(self, key: DeviceKey, kind: KindSpec) -> DeviceDetector:
        if kind.detector == "cycles":
            return CyclicDetector(key, kind, self.version)
        return MultichannelDetector(key, kind, self.version, self._plants[kind.kind])

    def observe(self, items: Sequence[tuple[DeviceDetector, Observation]]) -> list[Observed]:
        """Observe runs of distinct devices; answers in the items' order."""
        memories = [detector.plants if isinstance(detector, MultichannelDetector) else None for detector, _ in items]
        kinds = dict.fromkeys(memories)
        if len(kinds) == 1 and (only := next(iter(kinds))) is not None:
            return observe_many(only, cast("Sequence[tuple[MultichannelDetector, Observation]]", items))
        found: list[Observed] = [[]] * len(items)
        for plants in kinds:
            chosen = [i for i, memory in enumerate(memories) if memory is plants]
            of_kind = [items[i] for i in chosen]
            if plants is None:
                answers = observe_each(of_kind)
            else:
                answers = observe_many(plants, cast("list[tuple[MultichannelDetector, Observation]]", of_kind))
            for i, told in zip(chosen, answers, strict=True):
                found[i] = told
        return found


def _version(catalogue: Catalogue) -> str:
    """Hash of the detectors' source, the catalogue and the numeric libraries."""
    digest = hashlib.sha256(catalogue.hash.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for name in _NUMERIC:
        digest.update(f"{name}={version(name)}\0".encode())
    return digest.hexdigest()[:16]
