"""Several trials of one scenario taken as one, for figures on more device-years. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from stack.trial.record import TrialRecord


def pooled(records: Sequence[TrialRecord]) -> TrialRecord:
    """One record of all; devices, tickets and visits get the seed before their name. The seed is the first's.

    Args:
        records: of one scenario, start and length; at least one.

    Raises:
        ValueError: they are not of one scenario, start and length, or two are of one seed.
    """
    first = records[0]
    if len({(each.scenario, each.start, each.end, each.days) for each in records}) > 1:
        raise ValueError("trials of different scenarios or lengths are not taken as one")
    if len({each.seed for each in records}) < len(records):
        raise ValueError("two trials have the same seed")
    named = [_named(each) for each in records]
    return msgspec.structs.replace(
        first,
        devices=tuple(one for each in named for one in each.devices),
        device_days=sum(each.device_days for each in named),
        faults=tuple(one for each in named for one in each.faults),
        tickets=tuple(one for each in named for one in each.tickets),
        visits=tuple(one for each in named for one in each.visits),
        episodes=tuple(one for each in named for one in each.episodes),
        confounders=tuple(one for each in named for one in each.confounders),
        control=tuple(one for each in named for one in each.control),
        peaks=tuple(one for each in named for one in each.peaks),
        messages=sum(each.messages for each in named),
        readings=sum(each.readings for each in named),
        duplicates=sum(each.duplicates for each in named),
        lost=sum(each.lost for each in named),
        dead_letters=dict(sorted(sum((Counter(each.dead_letters) for each in named), Counter()).items())),
        detector_errors=sum(each.detector_errors for each in named),
        notices=sum(each.notices for each in named),
        promises=_promises(named),
    )


def _promises(records: list[TrialRecord]) -> dict[str, tuple[int, int]]:
    names = sorted({name for each in records for name in each.promises})
    found = [{name: each.promises.get(name, (0, 0)) for name in names} for each in records]
    return {name: (sum(each[name][0] for each in found), sum(each[name][1] for each in found)) for name in names}


def _named(record: TrialRecord) -> TrialRecord:
    """Names that are the record's alone; `org/device` stays of that form."""
    seed = record.seed

    def device(name: str) -> str:
        org, slash, own = name.partition("/")
        return f"{org}{slash}{seed}-{own}" if slash else f"{seed}-{name}"

    def own(name: str) -> str:
        return f"{seed}-{name}"

    def many(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(own(name) for name in names)

    replace = msgspec.structs.replace
    return replace(
        record,
        devices=tuple(replace(each, device=device(each.device)) for each in record.devices),
        faults=tuple(replace(each, device=device(each.device), visits=many(each.visits)) for each in record.faults),
        control=tuple(replace(each, device=device(each.device), visits=many(each.visits)) for each in record.control),
        tickets=tuple(
            replace(each, ref=own(each.ref), device=device(each.device), visits=many(each.visits))
            for each in record.tickets
        ),
        visits=tuple(
            replace(each, id=own(each.id), ticket=own(each.ticket), device=device(each.device))
            for each in record.visits
        ),
        episodes=tuple(
            replace(each, device=device(each.device), ticket=None if each.ticket is None else own(each.ticket))
            for each in record.episodes
        ),
        confounders=tuple(replace(each, device=device(each.device)) for each in record.confounders),
        peaks=tuple(replace(each, devices=tuple(device(name) for name in each.devices)) for each in record.peaks),
    )
