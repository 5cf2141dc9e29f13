"""How simulated owners help themselves over the product's API: the guide answered step by step, then one tap."""

from __future__ import annotations

from typing import Protocol

import httpx
import msgspec

from firmware_sim.service import ServiceError

_CONFLICT = 409
_TIMEOUT_S = 10.0
_MOST_STEPS = 50


class SelfHelp(Protocol):
    """What owners do by themselves. Everything raises ServiceError when it could not be done."""

    def follow(self, ticket: str) -> bool:
        """Carry out the guide to its end; False when there is none or it leads on to the visit."""
        ...

    def withdraw(self, ticket: str) -> bool:
        """Withdraw the visit when the product says that the readings have recovered; False while it does not."""
        ...


class _Answer(msgspec.Struct):
    id: str


class _Step(msgspec.Struct):
    step: int
    answers: list[_Answer]


class _Guide(msgspec.Struct):
    steps: list[_Step]
    step: int | None
    leads: str | None
    withdrawable: bool


class HttpSelfHelp:
    """Over the public HTTP API.

    Args:
        client: with base URL and bearer token.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def follow(self, ticket: str) -> bool:
        """See `SelfHelp`; of each step the first answer is given, as somebody does for whom it works."""
        guide = self._guide(ticket)
        for _ in range(_MOST_STEPS):
            asked = next((each for each in guide.steps if each.step == guide.step), None)
            if asked is None:
                break
            body = {"step": asked.step, "answer": asked.answers[0].id}
            guide = self._read(self._send("POST", f"/v1/tickets/{ticket}/self-check", body))
        return guide.leads == "wait"

    def withdraw(self, ticket: str) -> bool:
        """See `SelfHelp`."""
        if not self._guide(ticket).withdrawable:
            return False
        self._send("POST", f"/v1/tickets/{ticket}/withdrawal", {})
        return True

    def _guide(self, ticket: str) -> _Guide:
        return self._read(self._send("GET", f"/v1/tickets/{ticket}/self-check", None))

    def _read(self, data: bytes) -> _Guide:
        try:
            return msgspec.json.decode(data, type=_Guide)
        except (msgspec.ValidationError, msgspec.DecodeError) as cause:
            raise ServiceError(f"an answer that is not understood: {cause}") from cause

    def _send(self, method: str, path: str, body: dict[str, object] | None) -> bytes:
        try:
            answer = self._client.request(method, path, json=body, timeout=_TIMEOUT_S)
            answer.raise_for_status()
        except httpx.HTTPStatusError as cause:
            raise ServiceError(str(cause), conflict=cause.response.status_code == _CONFLICT) from cause
        except httpx.HTTPError as cause:
            raise ServiceError(str(cause)) from cause
        return answer.content
