"""Says in words what msgspec found wrong in a table: the key with all its names, and what is allowed there."""

from __future__ import annotations

import datetime as dt
import re
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec

from firmware_sim.names import nearest

_PATH = re.compile(r" - at (?P<name>`key` in )?`\$(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>\d+)\]|\[(?P<any>\.\.\.)\]")
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]+)`")
_MATCHING = re.compile(r"^Expected `str` matching regex ")
_FORMS = {
    r"^[a-z][a-z0-9_]{0,47}$": "an id: lower-case letters, digits and _, a letter first, as in outdoor_fan",
    r"^[A-Z]{3}$": "three capital letters, as in CNY",
    r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,47}$": "a word of letters, digits and _ . -, as in 2.6.0",
    r"^([a-z][a-z0-9-]{0,31})?$": "lower-case letters, digits and hyphens, a letter first",
    r"^[a-z0-9][a-z0-9-]{0,63}$": "lower-case letters, digits and hyphens, as in calm-year",
    r"^[A-Za-z0-9_-]{1,64}$": "letters, digits, _ and -",
}
_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")


def explain(message: str, raw: Mapping[str, Any], expected: Any) -> tuple[str, str]:  # noqa: ANN401  (any type)
    """Key and detail of a message of msgspec.

    Args:
        message: of its ValidationError.
        raw: what was converted.
        expected: the type it should have had.
    """
    found = _PATH.search(message)
    detail = _PATH.sub("", message)
    key, tp = _walk(found["path"] if found else "", raw, expected)
    if unknown := _UNKNOWN.search(detail):
        names = _fields(tp)
        near = nearest(unknown["name"], names)
        guess = f"; did you mean {near!r}?" if near else "."
        return _join(key, unknown["name"]), f"unknown key{guess} Allowed: {', '.join(names)}"
    if missing := _MISSING.search(detail):
        return _join(key, missing["name"]), f"is missing; give {allowed(_member(tp, missing['name']))}"
    if found and found["name"]:
        return key, f"{detail}; keys allowed: {allowed(_name(tp))}"
    if _MATCHING.search(detail):
        detail = "is not of that form"
    return key or "(top)", f"{detail}; allowed: {allowed(tp)}"


def convert(value: Any, tp: Any) -> Any:  # noqa: ANN401  (TOML values and types)
    """Convert a value read from TOML.

    Raises:
        msgspec.ValidationError: it does not follow the type.
    """
    return msgspec.convert(value, tp, builtin_types=(dt.datetime, dt.date, dt.time), str_keys=True)


def allowed(tp: Any) -> str:  # noqa: ANN401
    """What a type allows, in words."""
    return " or ".join(dict.fromkeys(_words(tp))) or "anything"


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _walk(path: str, raw: Any, expected: Any) -> tuple[str, Any]:  # noqa: ANN401
    """The key that msgspec's path means, with the names that it writes as `[...]`, and the type expected there."""
    key, tp, node = "", expected, raw
    for step in _STEP.finditer(path):
        if step["index"] is not None:
            place = int(step["index"])
            tp, key, node = _item(tp, place), f"{key}[{place}]", node[place]
            continue
        entry = step["any"] is not None
        name = _wrong_entry(node, _item(tp, 0)) if entry else str(step["key"])
        tp = _item(tp, 0) if entry else _member(tp, name)
        key = _join(key, name)
        node = node.get(name) if isinstance(node, Mapping) else None
    return key, tp


def _wrong_entry(node: Mapping[str, Any], tp: Any) -> str:  # noqa: ANN401
    """The first entry of a table whose value does not follow a type."""
    for name, value in node.items():
        try:
            convert(value, tp)
        except msgspec.ValidationError:
            return str(name)
    return next(iter(node), "")


def _bare(tp: Any) -> list[Any]:  # noqa: ANN401
    """The members of a type, without None and annotations."""
    if typing.get_origin(tp) is Annotated:
        return _bare(typing.get_args(tp)[0])
    if _is_union(tp):
        return [one for part in typing.get_args(tp) for one in _bare(part) if one is not types.NoneType]
    return [tp]


def _is_union(tp: Any) -> bool:  # noqa: ANN401
    return isinstance(tp, types.UnionType) or typing.get_origin(tp) is typing.Union


def _item(tp: Any, index: int) -> Any:  # noqa: ANN401
    """The type of a container's entries."""
    for one in _bare(tp):
        args = typing.get_args(one)
        if typing.get_origin(one) is dict:
            return args[1]
        if typing.get_origin(one) is tuple:
            return args[0] if args[-1] is Ellipsis else args[min(index, len(args) - 1)]
    return Any


def _name(tp: Any) -> Any:  # noqa: ANN401
    """The type of a table's keys."""
    return next((typing.get_args(one)[0] for one in _bare(tp) if typing.get_origin(one) is dict), Any)


def _member(tp: Any, name: str) -> Any:  # noqa: ANN401
    for one in _bare(tp):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            return typing.get_type_hints(one, include_extras=True).get(name, Any)
    return Any


def _fields(tp: Any) -> list[str]:  # noqa: ANN401
    for one in _bare(tp):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            return list(one.__struct_fields__)
    return []


def _words(tp: Any) -> Iterable[str]:  # noqa: ANN401
    if typing.get_origin(tp) is Annotated:
        base, *metas = typing.get_args(tp)
        return [" ".join((allowed(base), *_bounds(metas)))]
    if _is_union(tp):
        return [word for part in typing.get_args(tp) if part is not types.NoneType for word in _words(part)]
    return [_plain(tp)]


def _plain(tp: Any) -> str:  # noqa: ANN401
    origin, args = typing.get_origin(tp), typing.get_args(tp)
    if origin is typing.Literal:
        return " or ".join(repr(one) for one in args)
    if origin is dict:
        return f"a table of {allowed(args[1])}"
    if origin is tuple:
        items = [one for one in args if one is not Ellipsis]
        size = "a list" if len(args) != len(items) else f"a list of {len(items)}"
        return f"{size}, each {allowed(items[0])}"
    if isinstance(tp, type) and issubclass(tp, msgspec.Struct):
        return f"a table with {', '.join(tp.__struct_fields__)}"
    return _SIMPLE.get(tp, "anything")


def _bounds(metas: Iterable[Any]) -> Iterable[str]:
    for meta in metas:
        for sign, bound in (("≥", meta.ge), (">", meta.gt), ("≤", meta.le), ("<", meta.lt)):
            if bound is not None:
                yield f"{sign} {bound:g}"
        if meta.pattern is not None:
            yield f"({_FORMS.get(meta.pattern, meta.pattern)})"
        if meta.min_length is not None:
            yield f"with at least {meta.min_length}"


_SIMPLE: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    dt.date: "a date as 2026-07-01",
    dt.datetime: "a moment as 2026-03-02T00:00:00Z",
}
