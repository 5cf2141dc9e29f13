"""The routers of dispatch's pages."""

from __future__ import annotations

from api.pages import (
    audit,
    causes,
    faults,
    live,
    mailbox,
    reports,
    roster,
    rules,
    session,
    technicians,
    ticket,
    ticket_list,
    ticket_posts,
    ticket_test,
    wall,
    webhooks,
)

ROUTERS = (
    session.router,
    ticket_list.router,
    ticket.router,
    ticket_posts.router,
    ticket_test.router,
    technicians.router,
    wall.router,
    roster.router,
    faults.router,
    causes.router,
    reports.router,
    rules.router,
    audit.router,
    webhooks.router,
    mailbox.router,
    live.router,
)
