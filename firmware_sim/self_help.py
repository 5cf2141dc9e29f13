"""How simulated owners help themselves over the product's API: the guide answered step by step, then one tap."""

from __future__ import annotations

from typing import Protocol

import httpx

from client import Wellkept, types
from firmware_sim.service import ONCE, said

_MOST_STEPS = 50


class SelfHelp(Protocol):
    """What owners do by themselves. Everything raises ServiceError when it could not be done."""

    def follow(self, ticket: str) -> bool:
        """Carry out the guide to its end; False when there is none or it leads on to the visit."""
        ...

    def withdraw(self, ticket: str) -> bool:
        """Withdraw the visit when the product says that the readings have recovered; False while it does not."""
        ...


class HttpSelfHelp:
    """Over the public HTTP API, by the product's own client.

    Args:
        http: with base URL and bearer token.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._desk = Wellkept.over(http, ONCE)

    def follow(self, ticket: str) -> bool:
        """See `SelfHelp`; of each step the first answer is given, as somebody does for whom it works."""
        with said():
            guide = self._desk.self_check(ticket)
            for _ in range(_MOST_STEPS):
                asked = next((each for each in guide.steps if each.step == guide.step), None)
                if asked is None:
                    break
                answer = types.StepIn(step=asked.step, answer=asked.answers[0].id)
                guide = self._desk.answer_self_check(ticket, answer)
        return guide.leads == "wait"

    def withdraw(self, ticket: str) -> bool:
        """See `SelfHelp`."""
        with said():
            if not self._desk.self_check(ticket).withdrawable:
                return False
            self._desk.withdrawal(ticket)
        return True
