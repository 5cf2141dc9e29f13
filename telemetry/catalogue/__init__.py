"""The catalogue: what the product knows of each appliance kind, as validated tables."""

from telemetry.catalogue.load import Catalogue, load_catalogue
from telemetry.catalogue.model import (
    ChannelSpec,
    ConfounderSpec,
    Effect,
    FaultSpec,
    FeatureSpec,
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
    "Effect",
    "FaultSpec",
    "FeatureSpec",
    "KindSpec",
    "ModelSpec",
    "PhaseSpec",
    "Text",
    "VerifySpec",
    "load_catalogue",
]
