"""The catalogue: what the product knows of each appliance kind, as validated tables."""

from telemetry.catalogue.guide import GuideAnswer, GuideStep
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
    VerifySpec,
)
from telemetry.catalogue.text import Text

__all__ = [
    "Catalogue",
    "ChannelSpec",
    "ConfounderSpec",
    "CourseSpec",
    "Effect",
    "FaultSpec",
    "FeatureSpec",
    "GuideAnswer",
    "GuideStep",
    "Influence",
    "KindSpec",
    "ModelSpec",
    "PhaseSpec",
    "Text",
    "VerifySpec",
    "load_catalogue",
    "reference_problems",
]
