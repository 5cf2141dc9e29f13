"""Changes on the stream's server: each on a subject of its organisation and kind, kept for a week.

The feed in the database is the truth; here it is handed on. The stream drops the oldest at its bounds, and drops a
repeat by its id within two minutes; whoever subscribes without the stream hears a repeat again, with the same id.
"""

from __future__ import annotations

from collections.abc import Sequence

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, Header, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError, NotFoundError

from stream.nats_client import NatsStream
from stream.port import EVENT_SUBJECT, EVENTS, Event

_KEPT_S = 7 * 86_400.0
# Not by bytes: that would take them from what blocks may fill. About 150 MB.
_MOST = 250_000
_DEDUPLICATION_S = 120.0
_TIMEOUT_S = 8.0


class NatsEvents:
    """Implements `stream.port.EventSink` on a connection that is there already.

    Args:
        stream: the connection.
        replicas: 1 embedded, 3 on a cluster.
    """

    def __init__(self, stream: NatsStream, *, replicas: int = 1) -> None:
        self._stream = stream
        self._replicas = replicas

    def tell(self, events: Sequence[Event]) -> None:
        """See `EventSink.tell`."""

        async def publish(_client: Client, js: JetStreamContext) -> None:
            for event in events:
                headers = {Header.MSG_ID.value: event.id, "Content-Type": event.media_type}
                subject = f"{EVENT_SUBJECT}.{event.org}.{event.kind}"
                await js.publish(subject, event.body, stream=EVENTS, headers=headers)

        # Asked each time: a server that lost its store takes nothing without one.
        self._stream.ask(self._ready, _TIMEOUT_S)
        self._stream.ask(publish, _TIMEOUT_S)

    async def _ready(self, _client: Client, js: JetStreamContext) -> None:
        try:
            await js.stream_info(EVENTS)
        except NotFoundError:
            await self._create(js)

    async def _create(self, js: JetStreamContext) -> None:
        config = StreamConfig(
            name=EVENTS,
            subjects=[f"{EVENT_SUBJECT}.>"],
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD,
            storage=StorageType.FILE,
            max_age=_KEPT_S,
            max_msgs=_MOST,
            num_replicas=self._replicas,
            duplicate_window=_DEDUPLICATION_S,
        )
        try:
            await js.add_stream(config)
        except BadRequestError:
            # Another process created it in the same moment.
            await js.stream_info(EVENTS)
