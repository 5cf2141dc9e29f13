"""Whether a group of appliances has a fault more often than the rest of its kind, or only by chance. Pure numbers.

A group's findings are held against the rate of the rest of its kind: how likely so many or more would be, were the
group like the rest, is the upper tail of a Poisson distribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from servicedesk.rates import at_least

STANDS_OUT = 0.01
"""Below such a chance a group stands out."""
LEAST = 3
"""Fewer findings never stand out."""
_PSEUDO = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultGroup:
    """Appliances of one kind that share something, and have a finding of one family open.

    Attributes:
        by: `model`, `region`, `both`, `firmware` (the present one) or `lot`.
        name: what they share.
        devices: in the group.
        findings: how many of them have the finding.
        fleet: devices of the kind.
        fleet_findings: how many of these have it.
        first: the earliest onset in the group.
    """

    kind: str
    family: str
    by: str
    name: str
    devices: int
    findings: int
    fleet: int
    fleet_findings: int
    first: datetime

    @property
    def expected(self) -> float:
        """Findings that the group would have if it were like the rest of its kind.

        One average device is added to the rest, so that a rest without findings is not one that never has any.
        """
        average = self.fleet_findings / self.fleet
        rest, left = self.fleet - self.devices, self.fleet_findings - self.findings
        return self.devices * (left + _PSEUDO * average) / (rest + _PSEUDO)

    @property
    def chance(self) -> float:
        """How likely so many or more are by chance."""
        return at_least(self.findings, self.expected)

    @property
    def stands_out(self) -> bool:
        """Whether somebody should look at the group as a whole; never so for a whole kind, which has no rest."""
        return self.findings >= LEAST and self.devices < self.fleet and self.chance < STANDS_OUT
