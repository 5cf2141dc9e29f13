"""The documents of our interfaces, and the copies of them that users rely on."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from api.app import create_app
from api.settings import Settings
from telemetry.asyncapi import document

_NOWHERE = "postgresql://127.0.0.1:1/none"


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document of this version; no database is asked."""
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    app = create_app(Settings(database_url=_NOWHERE))
    app.state.context.pool.close()
    return app.openapi()


def asyncapi_document() -> dict[str, Any]:
    """The AsyncAPI document of this version."""
    return document(Settings(database_url=_NOWHERE).version)


def documents() -> dict[str, dict[str, Any]]:
    """Both, by the names of their files."""
    return {"openapi.json": openapi_document(), "asyncapi.json": asyncapi_document()}


def spelled(document: Mapping[str, Any]) -> str:
    """A document as its file holds it."""
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
