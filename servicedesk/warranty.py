"""Warranty as a table of rules: the same facts of an appliance give the same answer, whoever asks, with a reason."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from servicedesk.errors import DeskError, UnknownError
from telemetry.catalogue import Text

_FILE = Path(__file__).with_name("warranty.toml")


class DenialError(DeskError):
    """A denial without a rule that fits, or without the evidence that the rule rests on.

    Attributes:
        rule: the one that was named.
        missing: evidence codes that it rests on and that were not recorded.
    """

    def __init__(self, rule: str, missing: Iterable[str], detail: str) -> None:
        super().__init__(detail)
        self.rule = rule
        self.missing = tuple(missing)


class Cover(StrEnum):
    """What the warranty says."""

    COVERED = "covered"
    SHARED = "shared"
    EXPIRED = "expired"
    DENIED = "denied"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that may decide. Whoever asks, through which channel, in which region or tier, is not among it.

    Attributes:
        on: the day for which it is asked.
        sold: day of the sale, where it is known.
        until: last day of the appliance's own warranty, where it is known.
        component: the part at fault, where it is known.
        evidence: codes that were recorded.
    """

    on: date
    sold: date | None = None
    until: date | None = None
    component: str | None = None
    evidence: frozenset[str] = frozenset()


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A row of the table; what is not set does not matter."""

    id: str
    result: Cover
    reason: Text
    term: Literal["in", "over", "unknown"] | None = None
    sold_within: int | None = None
    over_within: int | None = None
    components: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    share: float = 0.0

    def fits(self, facts: Facts) -> bool:
        """Whether every condition holds."""
        return (
            (self.term is None or self.term == _term(facts))
            and (self.sold_within is None or _within(facts.sold, facts.on, self.sold_within))
            and (self.over_within is None or _within(facts.until, facts.on, self.over_within))
            and (not self.components or facts.component in self.components)
            and facts.evidence.issuperset(self.evidence)
        )


@dataclass(frozen=True, slots=True)
class Table:
    """The rules in order, and the evidence codes with their words."""

    rules: tuple[Rule, ...]
    evidence: Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the warranty says of an appliance, with the rule and its reason.

    Attributes:
        share: of the bill that the maker pays, 0 to 1.
    """

    cover: Cover
    rule: str
    reason: Text
    share: Decimal
    evidence: tuple[str, ...] = ()


@cache
def table() -> Table:
    """The product's own table.

    Raises:
        DeskError: it is broken: a rule that cannot be read, twice the same id, a denial without evidence, an
            evidence code without words, or no rule at the end that fits everything.
    """
    return read_table(_FILE.read_text(encoding="utf-8"), _FILE.name)


def read_table(text: str, name: str = "warranty.toml") -> Table:
    """Read a table and see that it is whole. Raises as `table`."""
    try:
        given = tomllib.loads(text)
        rules = msgspec.convert(given.get("rule", []), tuple[Rule, ...])
        evidence = msgspec.convert(given.get("evidence", {}), dict[str, Text])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as cause:
        raise DeskError(f"{name}: {cause}") from cause
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise DeskError(f"{name}: rule {rule.id!r} stands twice; ids are unique")
        seen.add(rule.id)
        if rule.result is Cover.DENIED and not rule.evidence:
            raise DeskError(f"{name}: rule {rule.id!r} denies without evidence; name the codes that it rests on")
        if unknown := set(rule.evidence) - set(evidence):
            raise DeskError(f"{name}: rule {rule.id!r} rests on {sorted(unknown)}, which have no words in [evidence]")
    for term in ("in", "over", "unknown"):
        if not any(_catches_all(rule, term) for rule in rules):
            raise DeskError(f'{name}: no rule fits every appliance with term = "{term}"; add one at the end')
    return Table(rules, evidence)


def evaluate(facts: Facts, rules: Table | None = None) -> Verdict:
    """Go through the table.

    Args:
        facts: of the appliance and its fault.
        rules: another table than the product's own.

    Raises:
        UnknownError: an evidence code that the table does not know.
    """
    rules = rules or table()
    if unknown := sorted(facts.evidence - set(rules.evidence)):
        raise UnknownError(f"no evidence is called {unknown[0]!r}; there are {', '.join(rules.evidence)}")
    rule = next(each for each in rules.rules if each.fits(facts))
    share = Decimal(str(rule.share))
    return Verdict(rule.result, rule.id, rule.reason, share, tuple(sorted(facts.evidence)))


def deny(facts: Facts, rule: str, rules: Table | None = None) -> Verdict:
    """The verdict of a person who says no by a rule.

    Raises:
        DenialError: the table has no such denial, or the evidence that it rests on was not recorded.
    """
    rules = rules or table()
    denials = {each.id: each for each in rules.rules if each.result is Cover.DENIED}
    if rule not in denials:
        known = ", ".join(denials)
        raise DenialError(rule, (), f"a denial names one of the rules {known}; {rule!r} denies nothing")
    missing = sorted(set(denials[rule].evidence) - facts.evidence)
    if missing:
        raise DenialError(rule, missing, f"rule {rule!r} rests on evidence that was not recorded: {', '.join(missing)}")
    return Verdict(Cover.DENIED, rule, denials[rule].reason, Decimal(0), tuple(sorted(facts.evidence)))


def _term(facts: Facts) -> str:
    if facts.until is None:
        return "unknown"
    return "in" if facts.on <= facts.until else "over"


def _within(since: date | None, on: date, days: int) -> bool:
    return since is not None and 0 <= (on - since).days <= days


def _catches_all(rule: Rule, term: str) -> bool:
    free = rule.sold_within is None and rule.over_within is None and not rule.components and not rule.evidence
    return free and rule.term in (None, term)
