"""What appliances with one finding have in common and the rest of their kind has not: a firmware, or a lot.

Of the appliances of a kind whose trait is known, so many have the finding, so many have the trait. How likely at
least as many have both, were the finding spread by chance, is Fisher's exact test ("On the interpretation of chi-square
from contingency tables, and the calculation of P", Journal of the Royal Statistical Society 85, 1922). A trait is named
where `MOST` of those with the finding have it, `LEAST` at least, and chance gives that less often than `LEVEL`, shared
out over all traits that were held against it. It is reckoned outside of the transaction that opens a ticket.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from servicedesk.fleet_rows import Peer, Shared, Trait
from servicedesk.office import Office
from servicedesk.rates import log_choose

COMPARE_FLEET = "fleet_compared"
"""Due: a fleet finding has grown; what its members share may be another thing now."""
COMPARE_TICKET = "ticket_compared"
"""Due: a ticket was opened; others of its lot or firmware may have the same."""
SHARES = "shares_trait"
"""Timeline: appliances with this finding share a firmware or lot."""
LEAST = 3
MOST = 0.8
LEVEL = 0.01
LOOKS_BACK = timedelta(days=365)
"""Findings of a ticket's family that are held together; a bad lot wears out one by one."""


def shared_by(peers: Sequence[Peer]) -> Shared | None:
    """The trait that those with the finding share and the others do not; the least likely one, or None.

    Args:
        peers: all appliances of a kind, each told whether it has the finding.
    """
    tried = [found for what in Trait for found in _candidates(peers, what)]
    named = [each for each in tried if each.members_having >= MOST * each.members and each.chance < LEVEL / len(tried)]
    return min(named, key=lambda each: (each.chance, each.what, each.name), default=None)


def compare_fleet(office: Office, fleet: UUID, now: datetime) -> None:
    """Name what the members of a fleet finding share, or that it is nothing."""
    office.desk.fleet.share(fleet, shared_by(office.desk.fleet.peers_of_fleet(fleet, now)), now)


def compare_ticket(office: Office, ident: UUID, now: datetime) -> None:
    """Say on a ticket's timeline what its appliance shares with those that have the same, where that stands out."""
    desk = office.desk
    ticket = desk.tickets.get(ident)
    appliance = desk.people.appliance(ticket.device)
    fleet = None if ticket.finding is None else desk.fleet.member_of(ticket.finding)
    found = None if fleet is None else desk.fleet.shared(fleet)
    if found is None:
        peers = desk.fleet.peers(appliance.org, appliance.kind, ticket.family, now - LOOKS_BACK, now)
        own = next((each for each in peers if each.device == ticket.device), None)
        found = shared_by(peers)
        if found is None or own is None or own.trait(found.what) != found.name:
            return
    office.log(
        ident,
        now,
        SHARES,
        what=str(found.what),
        name=found.name,
        members=found.members,
        members_having=found.members_having,
        others=found.others,
        others_having=found.others_having,
        chance=found.chance,
    )


def fisher(members: int, members_having: int, others: int, others_having: int) -> float:
    """How likely at least so many members have a trait, were it spread over all by chance."""
    whole, having = members + others, members_having + others_having
    every = log_choose(whole, members)
    terms = (
        math.exp(log_choose(having, n) + log_choose(whole - having, members - n) - every)
        for n in range(members_having, min(members, having) + 1)
        if members - n <= whole - having
    )
    return min(1.0, math.fsum(terms))


def _candidates(peers: Sequence[Peer], what: Trait) -> list[Shared]:
    known = [(each.trait(what), each.member) for each in peers if each.trait(what)]
    having = Counter(name for name, _ in known)
    of_members = Counter(name for name, member in known if member)
    members = of_members.total()
    others = len(known) - members
    return [
        Shared(
            what=what,
            name=name,
            members=members,
            members_having=count,
            others=others,
            others_having=having[name] - count,
            chance=fisher(members, count, others, having[name] - count),
        )
        for name, count in sorted(of_members.items())
        if count >= LEAST and others
    ]
