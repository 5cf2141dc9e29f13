"""All pages of the engineers' area, in the order in which their addresses are tried."""

from __future__ import annotations

from api.pages import lab, lab_device

ROUTERS = (lab.router, lab_device.router)
