"""Several ingest processes behind one shared subscription, and the proof that the broker delivers on it.

MQTT 3.1.1 knows no shared subscriptions; brokers that have them agree on `$share/GROUP/FILTER`. One that does not takes
that for an ordinary topic, grants it and never delivers (measured: nats-server 2.15), so that nothing but a message on
its way proves it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from ingest.wire import Delivery
from telemetry.errors import WellkeptError
from telemetry.identity import DeviceKey
from telemetry.topics import Channel, subscription, topic_of

HEARD = (Channel.TELEMETRY, Channel.EVENT, Channel.RESPONSE)
"""Channels of devices that ingest reads."""
PATIENCE = 5.0
"""Seconds within which the proof must come back."""
_PROBE_ORG = "wk-share-probe"


class SharedSubscriptionError(WellkeptError):
    """The broker does not deliver on shared subscriptions."""


def filters(group: str) -> list[str]:
    """What ingest subscribes to; a group shares each message out to one of its members."""
    return shared(group, [subscription(channel) for channel in HEARD])


def shared(group: str, plain: Sequence[str]) -> list[str]:
    """Filters as a group subscribes to them."""
    prefix = f"$share/{group}/" if group else ""
    return [prefix + each for each in plain]


class ShareProof:
    """One message to ourselves through a shared subscription of our own. Times are monotonic seconds.

    Args:
        group: that is to be shared.
        broker: for the error's text.
    """

    def __init__(self, group: str, broker: str) -> None:
        self._broker = broker
        name = uuid.uuid4().hex
        # A channel that ingest may publish on, of a device that nobody is.
        self.topic = topic_of(DeviceKey(_PROBE_ORG, name), Channel.RECEIPT)
        self.filter = f"$share/{group}-{name}/{self.topic}"
        self.given = False
        self._deadline: float | None = None
        self._reason = "granted a shared subscription and delivers nothing on it"

    def sent(self, now: float) -> None:
        """The message is on its way."""
        self._deadline = now + PATIENCE

    def refused(self, reason: str) -> None:
        """The broker did not even grant it."""
        self._reason = f"refused a shared subscription ({reason})"
        self._deadline = 0.0

    def take(self, messages: Sequence[Delivery]) -> tuple[list[Delivery], list[Delivery]]:
        """Tell the proof apart. Returns all other messages, and its own, which want an acknowledgement."""
        topic = self.topic.encode()
        own = [message for message in messages if message[0] == topic]
        if own:
            self.given, self._deadline = True, None
        return [message for message in messages if message[0] != topic], own

    def check(self, now: float) -> None:
        """Look at the time.

        Raises:
            SharedSubscriptionError: the message should have been here by now.
        """
        if self._deadline is not None and now >= self._deadline:
            raise SharedSubscriptionError(
                f"the broker at {self._broker} {self._reason}; NATS does not share. Run one ingest process without "
                "WELLKEPT_SHARE, or use a broker that shares (Mosquitto, EMQX, HiveMQ, VerneMQ) and give the user of "
                "ingest the right to it"
            )
