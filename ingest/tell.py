"""Names, at debug level, every message of a block: where the way of a message begins in the logs."""

from __future__ import annotations

import structlog

from telemetry.block import decode_block
from telemetry.logs import correlation

log = structlog.get_logger()


def tell_block(partition: int, block_id: str, data: bytes) -> None:
    """One line a block, with the correlation ids of its messages. Decodes it: only for who asked for debug lines."""
    block = decode_block(data)
    log.debug(
        "block",
        partition=partition,
        block=block_id,
        messages=[
            correlation(block.devices[device].org, block.devices[device].device, epoch, seq)
            for device, epoch, seq in zip(block.device.tolist(), block.epoch.tolist(), block.seq.tolist(), strict=True)
        ],
        rejects=[
            correlation(each.device.org, each.device.device, each.epoch, each.seq)
            for each in block.rejects
            if each.device is not None and each.epoch is not None and each.seq is not None
        ],
    )
