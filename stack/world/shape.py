"""What a world is like before anything goes wrong: how many of everything, and how unpleasant its parts are."""

from __future__ import annotations

from dataclasses import dataclass

from stack.world.faults import Fault, draw
from stack.world.scheduler import generator
from telemetry.clock import MICROS

BANK_EVERY = 25
"""Of so many seeds one runs the product's own detectors, the others a cheap one with a long memory."""
_MOST_FAULTS = 12
_KINDS = (
    "smart_plug",
    "refrigerator",
    "washing_machine",
    "pump",
    "freezer",
    "heat_pump",
    "water_heater",
    "dishwasher",
    "tumble_dryer",
)


@dataclass(frozen=True, slots=True)
class Shape:
    """Drawn from the seed alone.

    Attributes:
        seed: of every generator.
        gateways: processes of devices.
        devices: of each gateway.
        stranger: whether one more device is not registered.
        poisoned: whether a detector fails on one device.
        workers: processes.
        partitions: of the stream.
        durable: whether the broker's sessions outlive a kill.
        window: of the broker, messages in flight to ingest.
        ack_wait: of the broker, microseconds; 0 is never.
        fences: whether a taker can end its predecessor's connection.
        limit: bytes a device may hold.
        every: microseconds between two messages of a device.
        span: for so long devices speak and faults fall, microseconds.
        speed: of the fleet clock at first.
        bank: whether the product's own detectors run.
        kind: of all devices.
        faults: what goes wrong.
    """

    seed: int
    gateways: int
    devices: int
    stranger: bool
    poisoned: bool
    workers: int
    partitions: int
    durable: bool
    window: int
    ack_wait: int
    fences: bool
    limit: int
    every: int
    span: int
    speed: float
    bank: bool
    kind: str
    faults: tuple[Fault, ...]


def draw_shape(seed: int) -> Shape:
    """The shape of a seed."""
    rng = generator(seed, "shape")
    gateways = rng.randint(1, 2)
    span = rng.choice((20, 30, 45)) * MICROS
    return Shape(
        seed=seed,
        gateways=gateways,
        devices=rng.randint(1, 3 if gateways == 1 else 2),
        stranger=rng.random() < 0.2,  # noqa: PLR2004  (a share, likewise below)
        poisoned=rng.random() < 0.1,  # noqa: PLR2004
        workers=rng.randint(1, 3),
        partitions=rng.choice((1, 2, 4)),
        durable=rng.random() < 0.5,  # noqa: PLR2004
        window=rng.choice((4, 32, 1_024)),
        ack_wait=rng.choice((0, 1, 10)) * MICROS,
        fences=rng.random() < 0.3,  # noqa: PLR2004
        limit=rng.choice((2_500, 1_000_000)),
        every=rng.choice((500_000, 1 * MICROS)),
        span=span,
        speed=rng.choice((1.0, 1.0, 60.0, 3_600.0)),
        bank=seed % BANK_EVERY == 0,
        # The cheap detector looks at power alone; the product's own are shown every kind in turn.
        kind=_KINDS[seed // BANK_EVERY % len(_KINDS)] if seed % BANK_EVERY == 0 else _KINDS[0],
        faults=tuple(draw(generator(seed, "faults"), span, _MOST_FAULTS)),
    )
