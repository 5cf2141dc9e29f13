"""A decision made again from what is stored, and compared with it to the last bit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from detectors.engine import DetectorFactory
from servicedesk.model import TicketDraft
from servicedesk.policy import DEFAULT, Policy, decide
from storage.read_decisions import StoredDecision
from storage.registry import DeviceRow
from storage.telemetry_rows import Batch
from telemetry.catalogue import Catalogue
from telemetry.finding import Finding
from worker.history import History
from worker.memory import DeviceMemory
from worker.rebuild import rebuild

# Whether a finding came as history rests on when its readings arrived, not on what they say.
_OF_ARRIVAL = frozenset({"history"})


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where stored and replayed differ.

    Attributes:
        revision: of the finding; None for the ticket.
        where: dotted path.
        stored: what the database has there.
        replayed: what was made again.
    """

    revision: int | None
    where: str
    stored: object
    replayed: object


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay showed.

    Attributes:
        ticket: reference, if one was opened.
        finding: its id.
        device: organisation and device.
        version: of the detectors that replayed.
        stored_versions: of those that decided.
        revisions: how many were compared.
        equal: nothing differs.
        first_difference: where the first difference is.
    """

    ticket: str | None
    finding: str
    device: str
    version: str
    stored_versions: list[str]
    revisions: int
    equal: bool
    first_difference: Difference | None

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def replay(
    decision: StoredDecision,
    history: History,
    catalogue: Catalogue,
    detectors: DetectorFactory,
    policy: Policy = DEFAULT,
) -> Replayed:
    """Observe all of a device's stored readings, losses and control entries anew, and compare what is found.

    No snapshot is used. Every stored revision of the finding is compared, and where it opened a ticket also what the
    policy decided of the revision that did.
    """
    made = observe_again(decision.device, history, catalogue, detectors)
    first = next(_differences(decision, made, catalogue, policy), None)
    return Replayed(
        ticket=decision.ticket,
        finding=str(decision.finding),
        device=str(decision.device.key),
        version=detectors.version,
        stored_versions=list(dict.fromkeys(row.version for row in decision.revisions)),
        revisions=len(decision.revisions),
        equal=first is None,
        first_difference=first,
    )


def observe_again(
    device: DeviceRow, history: History, catalogue: Catalogue, detectors: DetectorFactory
) -> dict[tuple[str, int], Finding]:
    """Every revision of a device's findings, by id and revision."""
    past = history.load([device.no])[device.no]
    past.snapshot = None
    memory = DeviceMemory(device, detectors(device.key, catalogue[device.kind]))
    memory.progress = {progress.epoch: progress for progress in past.progress}
    memory.lost = {epoch: list(ranges) for epoch, ranges in past.lost.items()}
    told = Batch()
    rebuild([(memory, past)], history, catalogue, detectors, told)
    return {(each.finding.id, each.finding.revision): each.finding for each in told.findings}


def _differences(
    decision: StoredDecision, made: dict[tuple[str, int], Finding], catalogue: Catalogue, policy: Policy
) -> Iterator[Difference]:
    for row in decision.revisions:
        again = made.get((str(decision.finding), row.revision))
        if again is None:
            yield Difference(row.revision, "", "a revision", None)
            continue
        for where, stored, replayed in _compare(row.body, _as_json(again), ""):
            if where not in _OF_ARRIVAL:
                yield Difference(row.revision, where, stored, replayed)
    if decision.ticket is None or decision.costs is None:
        return
    opening = _opening(decision)
    again = None if opening is None else made.get((str(decision.finding), opening))
    draft = None if again is None else decide(again, catalogue[decision.device.kind], policy)
    for where, stored, replayed in _compare(decision.costs, _costs(draft), "ticket"):
        yield Difference(None, where, stored, replayed)


def _opening(decision: StoredDecision) -> int | None:
    """The revision that opened the ticket.

    Where the ticket does not say, the first that came at that time; of a finding that had waited, the last before.
    """
    if decision.opening is not None or decision.opened is None:
        return decision.opening
    at_once = (row.revision for row in decision.revisions if row.arrived == decision.opened)
    before = (row.revision for row in reversed(decision.revisions) if row.arrived < decision.opened)
    return next(at_once, next(before, None))


def _costs(draft: TicketDraft | None) -> dict[str, float] | None:
    """As the ticket's first line has them."""
    if draft is None:
        return None
    return {"expected_cost": round(draft.expected_cost, 2), "visit_cost": round(draft.visit_cost, 2)}


def _as_json(finding: Finding) -> Any:  # noqa: ANN401  (JSON)
    return json.loads(json.dumps(msgspec.to_builtins(finding)))


def _compare(stored: Any, replayed: Any, where: str) -> Iterator[tuple[str, object, object]]:  # noqa: ANN401  (JSON)
    """Every place where two JSON values differ, with its dotted path."""
    if isinstance(stored, dict) and isinstance(replayed, dict):
        for key in dict.fromkeys([*stored, *replayed]):
            yield from _compare(stored.get(key), replayed.get(key), f"{where}.{key}".lstrip("."))
    elif isinstance(stored, list) and isinstance(replayed, list) and len(stored) == len(replayed):
        for index, pair in enumerate(zip(stored, replayed, strict=True)):
            yield from _compare(*pair, f"{where}[{index}]")
    elif stored != replayed:
        yield where, stored, replayed
