"""Methods of webhooks. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from uuid import UUID

from client.core import Caller, Page, segment
from client.types.webhooks import (
    DeliveryOut,
    DeliveryState,
    ReplayIn,
    ReplayOut,
    WebhookChangeIn,
    WebhookIn,
    WebhookMadeOut,
    WebhookOut,
    WebhooksOut,
)


class WebhooksRoutes(Caller):
    """Methods of webhooks."""

    def webhooks(self, *, org: str | None = None) -> WebhooksOut:
        """Endpoints, without their secrets."""
        return self.call("GET", "/v1/webhooks", WebhooksOut, query={"org": org})

    def webhook_new(self, body: WebhookIn, *, key: str | None = None) -> WebhookMadeOut:
        """Have changes sent to an address from now on. The secret is told this once; it verifies what is sent."""
        return self.call("POST", "/v1/webhooks", WebhookMadeOut, body=body, key=key)

    def webhook_remove(self, webhook: UUID | str, *, key: str | None = None) -> WebhookOut:
        """Send there no more; what waits is dropped. The answer is what it was."""
        return self.call("DELETE", f"/v1/webhooks/{segment(webhook)}", WebhookOut, key=key)

    def one_webhook(self, webhook: UUID | str) -> WebhookOut:
        """An endpoint and how it does."""
        return self.call("GET", f"/v1/webhooks/{segment(webhook)}", WebhookOut)

    def webhook_change(
        self, webhook: UUID | str, body: WebhookChangeIn, *, if_match: str | None = None, key: str | None = None
    ) -> WebhookOut:
        """Change address and filters, pause it, or enable it again: then it is sent what it has missed, in order."""
        return self.call("PATCH", f"/v1/webhooks/{segment(webhook)}", WebhookOut, body=body, if_match=if_match, key=key)

    def deliveries(
        self,
        webhook: UUID | str,
        *,
        state: DeliveryState | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[DeliveryOut]:
        """What was sent and what waits, newest first; settled ones are kept for seven days."""
        return self.call(
            "GET",
            f"/v1/webhooks/{segment(webhook)}/deliveries",
            Page[DeliveryOut],
            query={"state": state, "cursor": cursor, "limit": limit},
        )

    def one_delivery(self, webhook: UUID | str, delivery: UUID | str) -> DeliveryOut:
        """A message: how far it got, and the last answer."""
        return self.call("GET", f"/v1/webhooks/{segment(webhook)}/deliveries/{segment(delivery)}", DeliveryOut)

    def delivery_again(self, webhook: UUID | str, delivery: UUID | str, *, key: str | None = None) -> DeliveryOut:
        """Send one message again, with the id that it had."""
        return self.call(
            "POST", f"/v1/webhooks/{segment(webhook)}/deliveries/{segment(delivery)}/again", DeliveryOut, key=key
        )

    def delivery_skip(self, webhook: UUID | str, delivery: UUID | str, *, key: str | None = None) -> DeliveryOut:
        """Give up a message that is not taken, so that those behind it are sent."""
        return self.call(
            "POST", f"/v1/webhooks/{segment(webhook)}/deliveries/{segment(delivery)}/skip", DeliveryOut, key=key
        )

    def webhook_replay(self, webhook: UUID | str, body: ReplayIn, *, key: str | None = None) -> ReplayOut:
        """Send changes of the last seven days again, behind what waits already, with the ids that they had."""
        return self.call("POST", f"/v1/webhooks/{segment(webhook)}/replay", ReplayOut, body=body, key=key)

    def webhook_secret(self, webhook: UUID | str, *, key: str | None = None) -> WebhookMadeOut:
        """Another secret. For a day both sign; take the new one into use meanwhile."""
        return self.call("POST", f"/v1/webhooks/{segment(webhook)}/secret", WebhookMadeOut, key=key)

    def webhook_test(self, webhook: UUID | str, *, key: str | None = None) -> DeliveryOut:
        """Send a message of type `wellkept.test.ping`, once; look at its delivery for the answer."""
        return self.call("POST", f"/v1/webhooks/{segment(webhook)}/test", DeliveryOut, key=key)
