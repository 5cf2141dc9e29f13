"""The routers of dispatch's pages."""

from __future__ import annotations

from api.pages import live, mailbox, roster, session, technicians, ticket, ticket_list, ticket_posts, wall

ROUTERS = (
    session.router,
    ticket_list.router,
    ticket.router,
    ticket_posts.router,
    technicians.router,
    wall.router,
    roster.router,
    mailbox.router,
    live.router,
)
