"""The conventions of `/v1`, which a route has by being on this router.

Reading: a strong `ETag` of the answer's bytes, `If-None-Match` (304), `Link: rel="next"` on lists, never kept by caches
without asking; a list is CSV where `Accept` says so. Changing: JSON bodies only (415), `Idempotency-Key` recorded in
the transaction of the effect, and where the route says which resource it changes (`@changes(VISIT)`) `If-Match` (412,
or 428 where it must be given), `Content-Location` and the new `ETag`. All of it is plain, synchronous code around the
route's own function: the transaction is the request's, and it commits before the answer leaves.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import typing
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, TypeAdapter

from api.auth import Principal, bearer
from api.context import InTx, Tx
from api.problems import ProblemError, not_found, problem
from api.said import said
from api.v1 import tabular
from api.v1.models import Page
from api.v1.paging import link_next
from servicedesk.errors import UnknownError
from storage.idempotency import Answer, Claim, claim, keep

Endpoint = Callable[..., Any]
JSON = "application/json"
_ETAG_BYTES = 15
_SAFE = frozenset({"GET"})
_COMMON = {"Cache-Control": "private, no-cache", "Vary": "Authorization", "X-Content-Type-Options": "nosniff"}
_ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)
_MARK = "__wellkept_changes__"
NEEDS_MATCH = "x-needs-if-match"
"""In the OpenAPI document: without `If-Match` this route answers 428."""

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match", max_length=1000, description="`ETag` of the state that you have seen; another one is a 412"
    ),
]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", max_length=1000, description="`ETag` that you have; 304 when it still is")
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]+$",
        description="your own word for this request (a UUID); repeating it gives the same answer and no second effect",
    ),
]


@dataclass(frozen=True, slots=True)
class Resource:
    """What a change is made to, so that it can be conditional.

    Attributes:
        argument: the path parameter that names it.
        read: its representation, the same that its own GET answers; a 404 outside the asker's scope.
        hold: keeps others from changing it until the transaction ends.
        path: its address.
    """

    argument: str
    read: Callable[[Tx, Principal, Any], BaseModel]
    hold: Callable[[Tx, Any], object]
    path: Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class _Changes:
    resource: Resource
    needs_match: bool


def changes(resource: Resource, *, needs_match: bool = False) -> Callable[[Endpoint], Endpoint]:
    """Say which resource a route changes; stands below the router's own decorator.

    Args:
        resource: of which the route answers the new representation.
        needs_match: without `If-Match` the answer is 428.
    """

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _MARK, _Changes(resource, needs_match))
        return endpoint

    return mark


def etag_of(body: bytes) -> str:
    """The strong entity tag of an answer."""
    return '"' + urlsafe_b64encode(hashlib.sha256(body).digest()[:_ETAG_BYTES]).decode() + '"'


def matches(header: str, etag: str) -> bool:
    """Whether a list of entity tags names this one, or is `*`."""
    tags = [tag.strip() for tag in header.split(",")]
    return "*" in tags or etag in tags


def json_only(request: Request) -> None:
    """Pass when there is no body or it says that it is JSON.

    Raises:
        ProblemError: 415.
    """
    empty = request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not empty and kind != JSON and not (kind.startswith("application/") and kind.endswith("+json")):
        raise problem("unsupported-media-type", said("send the body with 'Content-Type: application/json'"))


class V1Router(APIRouter):
    """Routes under `/v1`."""

    def __init__(self) -> None:
        super().__init__(prefix="/v1")

    def add_api_route(self, path: str, endpoint: Endpoint, **options: Any) -> None:  # noqa: ANN401  (the framework's own)
        """Add a route with the conventions around it; one that answers by itself (a stream) stays as it is."""
        methods = {method.upper() for method in options.get("methods") or ["GET"]}
        answers = typing.get_type_hints(endpoint).get("return")
        if inspect.isclass(answers) and issubclass(answers, Response):
            super().add_api_route(path, endpoint, **options)
            return
        if answers is None:
            raise TypeError(f"{endpoint.__qualname__} says nothing about its answer: annotate what it returns")
        if methods <= _SAFE:
            wrapped = _reading(endpoint, TypeAdapter(answers))
        else:
            template = f"{'|'.join(sorted(methods))} {self.prefix}{path}"
            wrapped = _changing(endpoint, TypeAdapter(answers), template, options.get("status_code") or 200)
            if (marked := getattr(endpoint, _MARK, None)) is not None and marked.needs_match:
                options["openapi_extra"] = {**(options.get("openapi_extra") or {}), NEEDS_MATCH: True}
            options["dependencies"] = [*(options.get("dependencies") or []), Depends(json_only)]
        super().add_api_route(path, wrapped, **options)


def _reading(endpoint: Endpoint, adapter: TypeAdapter[Any]) -> Endpoint:
    def answer(*, wk_request: Request, wk_none_match: str | None, **arguments: Any) -> Response:  # noqa: ANN401
        value = endpoint(**arguments)
        table = isinstance(value, Page) and tabular.wanted(wk_request.headers.get("accept"))
        body = tabular.as_csv(value) if table else adapter.dump_json(value)
        etag = etag_of(body)
        headers = {**_COMMON, "ETag": etag}
        if isinstance(value, Page):
            headers["Vary"] = "Authorization, Accept"
            if value.next is not None:
                headers["Link"] = link_next(wk_request, value.next)
        if wk_none_match is not None and matches(wk_none_match.replace("W/", ""), etag):
            return Response(status_code=304, headers=headers)
        return Response(body, 200, headers, media_type=tabular.CSV if table else JSON)

    return _dressed(answer, endpoint, {"wk_request": (Request, ...), "wk_none_match": (IfNoneMatch, None)})


def _changing(endpoint: Endpoint, adapter: TypeAdapter[Any], template: str, status: int) -> Endpoint:
    marked: _Changes | None = getattr(endpoint, _MARK, None)

    def answer(
        *,
        wk_request: Request,
        wk_tx: Tx,
        wk_who: Principal,
        wk_match: str | None,
        wk_key: str | None,
        **arguments: Any,  # noqa: ANN401
    ) -> Response:
        wanted = None if wk_key is None else Claim(wk_who.id, template, wk_key, _hash(wk_request, arguments))
        if wanted is not None and (kept := claim(wk_tx.conn, wanted, wk_tx.wall)) is not None:
            return Response(kept.body, kept.status, {**kept.headers, "Idempotency-Replayed": "true"})
        if marked is not None:
            _check_match(marked, wk_tx, wk_who, arguments, wk_match)
        value = endpoint(**arguments)
        body = adapter.dump_json(value)
        headers = {**_COMMON, "Content-Type": JSON}
        if marked is not None and isinstance(value, BaseModel):
            headers |= {"ETag": etag_of(body), "Content-Location": marked.resource.path(value)}
        if wanted is not None:
            keep(wk_tx.conn, wanted, Answer(status, headers, body))
        return Response(body, status, headers)

    extra: dict[str, tuple[Any, Any]] = {
        "wk_request": (Request, ...),
        "wk_tx": (InTx, ...),
        "wk_who": (Annotated[Principal, Depends(bearer)], ...),
        "wk_key": (IdempotencyKey, None),
        "wk_match": (IfMatch, None),
    }
    if marked is None:
        del extra["wk_match"]
        return _dressed(functools.partial(answer, wk_match=None), endpoint, extra)
    return _dressed(answer, endpoint, extra)


def _check_match(marked: _Changes, tx: Tx, who: Principal, arguments: Mapping[str, Any], match: str | None) -> None:
    """Hold the resource and compare, so that nobody changes it between the look and the change."""
    resource, ident = marked.resource, arguments[marked.resource.argument]
    if match is None and not marked.needs_match:
        return
    resource.read(tx, who, ident)  # what is not the asker's is not there, and is not held
    if match is None:
        raise problem("precondition-required", said("read the resource and send its ETag as If-Match"))
    try:
        resource.hold(tx, ident)
    except UnknownError as cause:
        raise not_found(resource.argument) from cause
    present = resource.read(tx, who, ident)
    etag = etag_of(present.__pydantic_serializer__.to_json(present))
    if not matches(match, etag):
        raise _changed(present, etag)


def _changed(present: BaseModel, etag: str) -> ProblemError:
    state = getattr(present, "state", None)
    now = f"it is {state} now" if state is not None else "it is another now"
    return problem(
        "precondition-failed",
        f"the state that If-Match names is gone: {now}; look at `present` and decide again",
        headers={"ETag": etag},
        etag=etag,
        present=present.model_dump(mode="json"),
    )


def _hash(request: Request, arguments: Mapping[str, Any]) -> bytes:
    """Hash of address, query and body; two spellings of the same JSON are the same request."""
    bodies = {
        name: _ANYTHING.dump_python(value, mode="json")
        for name, value in arguments.items()
        if isinstance(value, BaseModel | dict | list)
    }
    whole = [request.url.path, sorted(request.query_params.multi_items()), bodies]
    return hashlib.sha256(msgspec.json.encode(whole, order="sorted")).digest()


def _dressed(answer: Endpoint, endpoint: Endpoint, extra: Mapping[str, tuple[Any, Any]]) -> Endpoint:
    """A function that looks to the framework like the route's own with further parameters."""
    hints = typing.get_type_hints(endpoint, include_extras=True)
    signature = inspect.signature(endpoint)
    own = [
        each.replace(annotation=hints[each.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for each in signature.parameters.values()
    ]
    more = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=annotation,
            default=inspect.Parameter.empty if default is ... else default,
        )
        for name, (annotation, default) in extra.items()
    ]

    def dressed(**arguments: Any) -> Any:  # noqa: ANN401  (as the route's own)
        return answer(**arguments)

    functools.update_wrapper(dressed, endpoint)
    del dressed.__wrapped__  # type: ignore[attr-defined]  # the framework would look through it
    dressed.__signature__ = signature.replace(parameters=own + more, return_annotation=hints["return"])  # type: ignore[attr-defined]
    return dressed
