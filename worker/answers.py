"""What a device's answer to a self-test holds that its kind's page does not know: said once, and left out."""

from __future__ import annotations

import structlog

from telemetry.catalogue import KindSpec
from telemetry.control import ControlEntry

_MOST = 16
_log = structlog.get_logger()


def warn_unknown(kind: KindSpec, entry: ControlEntry) -> None:
    """Warn of quantities that no detector can use; of a kind without a table nothing is expected."""
    values = entry.body.get("values")
    if not kind.self_test or not isinstance(values, dict):
        return
    unknown = sorted(str(name) for name in values if name not in kind.self_test)
    if unknown:
        _log.warning(
            "a self-test measured what the catalogue does not know",
            device=str(entry.device),
            kind=kind.kind,
            unknown=unknown[:_MOST],
            known=sorted(kind.self_test),
        )
