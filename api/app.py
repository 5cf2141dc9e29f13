"""The application: routes, errors, headers, metrics; made by a factory so that tests make their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.resources import files

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api import guard, health, openapi, problems
from api.auth import LoginNeededError, Throttle
from api.context import open_context
from api.edge import Edge
from api.feed import Feed
from api.limits import Limits
from api.meters import Meters
from api.oidc import Provider
from api.pages import (
    board,
    board_plan,
    day,
    day_acts,
    desk_routes,
    lab_routes,
    oidc,
    owner,
    reference,
    session,
)
from api.pages.door import LinkError
from api.parts import PartSettings, Watch
from api.settings import Settings
from api.tracing import RequestIds
from api.v1 import board as board_v1
from api.v1 import (
    care,
    contact,
    events,
    hooks,
    levels,
    links,
    money,
    own,
    plans,
    reports,
    road,
    scoreboard,
    self_tests,
    service,
    telemetry,
    ways,
)
from api.v1 import desk as desk_v1
from api.v1 import home as home_v1
from storage.failures import BUSY, OUTAGES, UNFIT
from telemetry.clock import WallClock, system_wall

_YEAR = "public, max-age=31536000, immutable"
_DESCRIPTION = """
Devices, readings, findings, tickets, visits and notices of a service desk for home appliances.

Bearer tokens with a role (`wellkept token new`). Times are fleet times in RFC 3339 with `Z`; ids are opaque.
Lists answer `items` and `next`; `next` goes into `cursor`, and stands in the `Link` header as an address.
Every answer to a GET has an `ETag` for `If-None-Match`; a change takes `If-Match`: it is made to the state you saw.
Every POST takes an `Idempotency-Key`: repeated, it gives the same answer and has no second effect, for seven days.
Errors are problem details (RFC 9457); an illegal move is a 409 whose `legal` names what may follow.
What is outside a token's scope looks like what is not there.
"""


class _Assets(StaticFiles):
    """Static files carry their content's hash in their address: they may be kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = _YEAR
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def create_app(settings: Settings, wall: WallClock = system_wall) -> FastAPI:
    """The application over one database.

    Args:
        settings: of the process.
        wall: the wall clock; fleet time follows the clock's row.
    """
    context = open_context(settings, wall)
    watch = Watch(settings.database_url, PartSettings().nats_url)
    meters = Meters(context, watch)
    feed = Feed(context)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        feed.start()
        yield
        feed.close()
        context.pool.close()

    app = FastAPI(
        title="Wellkept",
        version=settings.version,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.context = context
    app.state.meters = meters
    app.state.watch = watch
    app.state.throttle = Throttle()
    app.state.address_throttle = Throttle(20)
    app.state.link_throttle = Throttle(guard.UNKNOWN_A_MINUTE)
    app.state.link_limits = Limits(guard.PER_LINK_S)
    app.state.oidc = Provider(settings) if settings.oidc else None
    app.state.feed = feed
    app.state.limits = Limits(settings.rate_per_s)
    for router in (
        health.router,
        telemetry.router,
        service.router,
        contact.router,
        levels.router,
        home_v1.router,
        plans.router,
        board_v1.router,
        desk_v1.router,
        money.router,
        care.router,
        self_tests.router,
        ways.router,
        links.router,
        own.router,
        reports.router,
        road.router,
        scoreboard.router,
        events.router,
        hooks.router,
        owner.router,
        *desk_routes.ROUTERS,
        oidc.router,
        reference.router,
        board.router,
        board_plan.router,
        *lab_routes.ROUTERS,
        day.router,
        day_acts.router,
    ):
        app.include_router(router)
    app.mount("/static", _Assets(directory=str(files("api").joinpath("static"))), name="static")
    problems.install(app)
    openapi.install(app)
    _install_pages(app)
    _install_meters(app, meters)
    app.add_middleware(RequestIds)
    return app


def _install_pages(app: FastAPI) -> None:  # noqa: C901  (one handler after the other)
    """Errors of pages are pages."""

    @app.exception_handler(LinkError)
    def _link(request: Request, error: LinkError) -> Response:
        return guard.opens_nothing(request, error)

    @app.exception_handler(LoginNeededError)
    def _login(request: Request, error: LoginNeededError) -> Response:
        return session.login_redirect(request, error)

    @app.exception_handler(problems.ProblemError)
    def _problem(request: Request, error: problems.ProblemError) -> Response:
        if problems.wants_page(request):
            return session.error_page(request, error.status)
        return problems.problem_response(error, request)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        if problems.wants_page(request):
            return session.error_page(request, error.status_code)
        return problems.http_problem(request, error)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        if problems.wants_page(request):
            return session.error_page(request, 422)
        return problems.problem_response(problems.invalid_fields(error), request)

    def _accident(request: Request, error: Exception) -> Response:
        problem = problems.of_accident(request, error)
        if problems.wants_page(request):
            return session.error_page(request, problem.status)
        return problems.problem_response(problem, request)

    for kind in (*BUSY, *UNFIT, *OUTAGES):
        app.add_exception_handler(kind, _accident)
    app.add_middleware(Edge, accident=_accident)


def _install_meters(app: FastAPI, meters: Meters) -> None:
    @app.middleware("http")
    async def _measure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        with meters.timer() as seconds:
            response = guard.too_fast(request) or await call_next(request)
        # The route's template, never the address: an owner's link is a secret.
        route = getattr(request.scope.get("route"), "path", "other")
        meters.requests.labels(request.method, route, str(response.status_code)).inc()
        meters.seconds.labels(route).observe(seconds())
        return response
