"""Receives webhooks: proves the signature first, and reads the CloudEvent then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError

from client.problems import ClientError
from client.types import ChangeOut


class WebhookError(ClientError):
    """It was not sent by the service, not lately, or is not understood. Answer 400."""


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What a webhook tells (CloudEvents 1.0).

    Attributes:
        id: the same however often it is told: what was seen before is taken and passed over.
        source: `urn:wellkept:ORG`.
        type: `wellkept.ticket.changed`, …; `wellkept.feed.reset`: changes are missing, read the lists anew.
        subject: id of what changed.
        time: wall time.
        sequence: sorts like the feed's numbers.
        data: as JSON.
    """

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    sequence: str
    data: msgspec.Raw
    specversion: str = "1.0"
    partitionkey: str = ""

    @property
    def change(self) -> ChangeOut | None:
        """What changed; None of a test and of a reset."""
        if self.type.startswith(("wellkept.feed.", "wellkept.test.")):
            return None
        try:
            return msgspec.json.decode(self.data, type=ChangeOut)
        except msgspec.MsgspecError as cause:
            raise WebhookError(f"a change that is not understood: {cause}") from cause


def read_webhook(secret: str, headers: Mapping[str, str], body: bytes) -> CloudEvent:
    """What was sent, proven and read.

    Args:
        secret: `whsec_…`.
        headers: of the request, in any case.
        body: as it arrived, byte for byte.

    Raises:
        WebhookError: it was not sent by who has the secret, or more than five minutes ago.
    """
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
        return msgspec.json.decode(body, type=CloudEvent)
    except (WebhookVerificationError, ValueError, msgspec.MsgspecError) as cause:
        raise WebhookError(str(cause)) from cause
