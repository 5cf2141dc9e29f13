"""All pages of the engineers' area, in the order in which their addresses are tried."""

from __future__ import annotations

from api.pages import lab, lab_device, lab_scoreboard, lab_simulator, lab_ticket

ROUTERS = (lab.router, lab_scoreboard.router, lab_simulator.router, lab_ticket.router, lab_device.router)
