"""All routes of the engineers' area, in the order in which their addresses are tried: pages, then `/v1`."""

from __future__ import annotations

from api.pages import lab, lab_device, lab_scoreboard, lab_simulator, lab_ticket
from api.v1 import lab as v1_lab
from api.v1 import simulator as v1_simulator

ROUTERS = (
    lab.router,
    lab_scoreboard.router,
    lab_simulator.router,
    lab_ticket.router,
    lab_device.router,
    v1_lab.router,
    v1_simulator.router,
)
