"""`/healthz`, `/readyz`, `/metrics`: for supervisors and Prometheus."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.context import InContext
from api.meters import Meters
from api.parts import Watch
from api.problems import ProblemError, problem_response
from telemetry.clock import to_datetime

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz(context: InContext) -> dict[str, str]:
    """The process lives."""
    return {"status": "ok", "version": context.settings.version}


@router.get("/readyz")
def readyz(request: Request, context: InContext) -> Response:
    """Whether every part does its work: database, stream, ingest, and a worker on each partition."""
    watch: Watch = request.app.state.watch
    parts = watch.parts()
    shown = [{"part": each.name, "ready": each.ready, **({"why": each.why} if each.why else {})} for each in parts]
    lost = [f"{each.name}: {each.why}" for each in parts if not each.ready]
    if lost:
        problem = ProblemError(503, "not-ready", "Not ready", "; ".join(lost), parts=shown)
        return problem_response(problem, request)
    now = to_datetime(context.wall())
    moved = [each.moved for each in watch.standing if each.moved is not None]
    body: dict[str, Any] = {
        "status": "ready",
        "parts": shown,
        "migrations": watch.migrations,
        "partitions": len(watch.standing),
        "last_moved_s": round((now - max(moved)).total_seconds(), 3) if moved else None,
        "longest_still_s": round((now - min(moved)).total_seconds(), 3) if moved else None,
    }
    return JSONResponse(body)


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """Prometheus text."""
    meters: Meters = request.app.state.meters
    return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)
