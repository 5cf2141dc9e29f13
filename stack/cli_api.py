"""`wellkept api`: the documents of the interfaces, and whether a change of them breaks anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from stack.cli_desk import AsJson
from stack.console import emit
from telemetry.errors import WellkeptError

api_app = typer.Typer(help="The documents of the HTTP and MQTT interfaces.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="Where openapi.json and asyncapi.json are kept.")]
_DOCS = Path("docs")


@api_app.command("openapi", epilog="Example: wellkept api openapi > openapi.json")
def openapi(*, as_json: AsJson = False) -> None:
    """Print the OpenAPI 3.1 document of the HTTP interface; `--json` prints it on one line."""
    from api.documents import openapi_document, spelled  # noqa: PLC0415  (the whole application)

    found = openapi_document()
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else spelled(found), nl=as_json)


@api_app.command("asyncapi", epilog="Example: wellkept api asyncapi > asyncapi.json")
def asyncapi(*, as_json: AsJson = False) -> None:
    """Print the AsyncAPI 3 document of the MQTT interface; `--json` prints it on one line."""
    from api.documents import asyncapi_document, spelled  # noqa: PLC0415  (the whole application)

    found = asyncapi_document()
    typer.echo(json.dumps(found, ensure_ascii=False) if as_json else spelled(found), nl=as_json)


@api_app.command("check", epilog="Example: wellkept api check docs")
def check(folder: Folder = _DOCS, *, as_json: AsJson = False) -> None:
    """Say what the present interfaces break for those who rely on the kept documents; 1 when something does."""
    found = _broken(folder)
    if as_json:
        emit(found, as_json=True)
    else:
        emit([{"document": name, "breaks": line} for name, lines in found.items() for line in lines], as_json=False)
    if any(found.values()):
        raise typer.Exit(1)


@api_app.command("snapshot", epilog="Example: wellkept api snapshot docs")
def snapshot(
    folder: Folder = _DOCS,
    *,
    anyway: Annotated[bool, typer.Option("--anyway", help="Also when it breaks something.")] = False,
    as_json: AsJson = False,
) -> None:
    """Keep the documents of the present interfaces, unless they break something for those who rely on the kept ones."""
    from api.documents import documents, spelled  # noqa: PLC0415  (the whole application)

    broken = [f"{name}: {line}" for name, lines in _broken(folder, missing_is_fine=True).items() for line in lines]
    if broken and not anyway:
        raise WellkeptError("this breaks what others rely on (--anyway keeps it): " + "; ".join(broken))
    for name, document in documents().items():
        (folder / name).write_text(spelled(document), encoding="utf-8")
    kept = {"kept": [str(folder / name) for name in documents()], "breaks": broken}
    emit(kept, as_json=as_json)


def _broken(folder: Path, *, missing_is_fine: bool = False) -> dict[str, list[str]]:
    from api.breaking import breaking  # noqa: PLC0415  (likewise)
    from api.documents import documents  # noqa: PLC0415  (likewise)

    found = {}
    for name, new in documents().items():
        path = folder / name
        if not path.exists():
            if missing_is_fine:
                continue
            raise WellkeptError(f"{path} is not there; make it with `wellkept api snapshot {folder}`")
        try:
            old = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as cause:
            raise WellkeptError(f"{path} is not JSON: {cause}") from cause
        found[name] = breaking(old, new)
    return found
