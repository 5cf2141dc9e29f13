"""All methods of `/v1`. Written by `make client` from the OpenAPI document; do not edit."""

from __future__ import annotations

from client.routes.board import BoardRoutes
from client.routes.clock import ClockRoutes
from client.routes.contact import ContactRoutes
from client.routes.devices import DevicesRoutes
from client.routes.findings import FindingsRoutes
from client.routes.lab import LabRoutes
from client.routes.levels import LevelsRoutes
from client.routes.notices import NoticesRoutes
from client.routes.parts import PartsRoutes
from client.routes.plans import PlansRoutes
from client.routes.prices import PricesRoutes
from client.routes.privacy import PrivacyRoutes
from client.routes.reports import ReportsRoutes
from client.routes.self_help import SelfHelpRoutes
from client.routes.simulator import SimulatorRoutes
from client.routes.survey import SurveyRoutes
from client.routes.technicians import TechniciansRoutes
from client.routes.tickets import TicketsRoutes
from client.routes.visits import VisitsRoutes
from client.routes.warranty import WarrantyRoutes
from client.routes.webhooks import WebhooksRoutes


class Routes(
    BoardRoutes,
    ClockRoutes,
    ContactRoutes,
    DevicesRoutes,
    FindingsRoutes,
    LabRoutes,
    LevelsRoutes,
    NoticesRoutes,
    PartsRoutes,
    PlansRoutes,
    PricesRoutes,
    PrivacyRoutes,
    ReportsRoutes,
    SelfHelpRoutes,
    SimulatorRoutes,
    SurveyRoutes,
    TechniciansRoutes,
    TicketsRoutes,
    VisitsRoutes,
    WarrantyRoutes,
    WebhooksRoutes,
):
    """Every operation of the document, as a method of its name."""
