"""The catalogue: what the product knows of each appliance kind, as validated tables."""

from telemetry.catalogue.load import Catalogue, load_catalogue, reference_problems
from telemetry.catalogue.model import (
    ChannelSpec,
    ConfounderSpec,
    CourseSpec,
    Effect,
    FaultSpec,
    FeatureSpec,
    Influence,
    KindSpec,
    ModelSpec,
    PhaseSpec,
    Text,
    VerifySpec,
)

__all__ = [
    "Catalogue",
    "ChannelSpec",
    "ConfounderSpec",
    "CourseSpec",
    "Effect",
    "FaultSpec",
    "FeatureSpec",
    "Influence",
    "KindSpec",
    "ModelSpec",
    "PhaseSpec",
    "Text",
    "VerifySpec",
    "load_catalogue",
    "reference_problems",
]
