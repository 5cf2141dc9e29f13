"""The profiles by name. A profile that is entered here is under the contract of `tests/detectors/profiles`."""

from __future__ import annotations

from collections.abc import Mapping

from detectors.profiles.base import ProfileMaker
from detectors.profiles.cycles import Cycles
from detectors.profiles.multichannel import Multichannel
from detectors.profiles.univariate import Univariate

PROFILES: Mapping[str, ProfileMaker] = {"cycles": Cycles, "multichannel": Multichannel, "univariate": Univariate}
