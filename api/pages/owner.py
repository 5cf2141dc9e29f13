"""Owners' pages: the link is the key. Reading changes nothing but "opened"; every choice is a POST."""

from __future__ import annotations

from fastapi import APIRouter

from api.pages import (
    home,
    owner_access,
    owner_alert,
    owner_calendar,
    owner_choices,
    owner_quote,
    owner_report,
    owner_time,
    owner_visit,
    privacy,
)

router = APIRouter()
for each in (
    owner_alert,
    owner_time,
    owner_visit,
    owner_calendar,
    owner_access,
    owner_choices,
    owner_quote,
    owner_report,
    home,
    privacy,
):
    router.include_router(each.router)
