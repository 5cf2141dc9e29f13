"""What a change of an interface's document breaks for those who use it: OpenAPI and AsyncAPI.

What is sent to us may only become freer, what is told by us only fuller. Named are: an operation, parameter, field,
enumerated value, answer or message that is gone; a field that became necessary; a type or bound that became narrower in
what is sent to us, or wider in what is told by us. Additions pass.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two documents, for following their references."""

    old: Json
    new: Json


def breaking(old: Json, new: Json) -> list[str]:
    """What breaks between two versions of a document of one kind, a line each; empty when nothing does."""
    pair = _Pair(old, new)
    return sorted(set(_channels(pair) if "asyncapi" in old else _paths(pair)))


def _paths(pair: _Pair) -> Iterator[str]:
    for path, operations in pair.old["paths"].items():
        for method in _METHODS:
            if method not in operations:
                continue
            name = f"{method.upper()} {path}"
            later = pair.new["paths"].get(path, {}).get(method)
            if later is None:
                yield f"{name} is gone"
                continue
            yield from _parameters(pair, name, operations[method], later)
            yield from _body(pair, name, operations[method], later)
            yield from _answers(pair, name, operations[method], later)


def _parameters(pair: _Pair, name: str, old: Json, new: Json) -> Iterator[str]:
    before, after = ({(p["in"], p["name"]): p for p in each.get("parameters", [])} for each in (old, new))
    for (where, word), given in before.items():
        place = f"{name}, {where} parameter {word}"
        if (where, word) not in after:
            yield f"{place} is gone"
        else:
            yield from _schema(pair, place, given.get("schema", {}), after[where, word].get("schema", {}), sent=True)
    for (where, word), given in after.items():
        needed = given.get("required", False)
        if needed and not before.get((where, word), {}).get("required", False):
            yield f"{name}, {where} parameter {word} became necessary"


def _body(pair: _Pair, name: str, old: Json, new: Json) -> Iterator[str]:
    before, after = old.get("requestBody", {}), new.get("requestBody", {})
    if after.get("required", False) and not before.get("required", False):
        yield f"{name}, body became necessary"
    yield from _contents(pair, f"{name}, body", before.get("content", {}), after.get("content", {}), sent=True)


def _answers(pair: _Pair, name: str, old: Json, new: Json) -> Iterator[str]:
    for status, answer in old["responses"].items():
        place = f"{name}, answer {status}"
        if status not in new["responses"]:
            # Who is ready for an error that does not come any more is not harmed.
            if status.startswith("2"):
                yield f"{place} is gone"
            continue
        before, after = _follow(pair.old, answer), _follow(pair.new, new["responses"][status])
        yield from _contents(pair, place, before.get("content", {}), after.get("content", {}), sent=False)


def _contents(pair: _Pair, place: str, old: Json, new: Json, *, sent: bool) -> Iterator[str]:
    for kind, content in old.items():
        if kind not in new:
            yield f"{place}, {kind} is gone"
        else:
            yield from _schema(pair, place, content.get("schema", {}), new[kind].get("schema", {}), sent=sent)


def _channels(pair: _Pair) -> Iterator[str]:
    for name, channel in pair.old["channels"].items():
        later = pair.new["channels"].get(name)
        if later is None:
            yield f"channel {name} is gone"
        elif later["address"] != channel["address"]:
            yield f"channel {name} moved from {channel['address']} to {later['address']}"
    for name, operation in pair.old["operations"].items():
        later = pair.new["operations"].get(name)
        if later is None:
            yield f"operation {name} is gone"
            continue
        if later["action"] != operation["action"]:
            yield f"operation {name} turned from {operation['action']} to {later['action']}"
        old, new = (
            {message["$ref"].rsplit("/", 1)[1]: _follow(document, _follow(document, message)) for message in each}
            for document, each in ((pair.old, operation["messages"]), (pair.new, later["messages"]))
        )
        for word, message in old.items():
            place = f"operation {name}, message {word}"
            if word not in new:
                yield f"{place} is gone"
            else:
                sent = operation["action"] == "receive"
                yield from _schema(pair, place, message.get("payload", {}), new[word].get("payload", {}), sent=sent)


def _follow(document: Json, part: Json) -> Json:
    while "$ref" in part:
        found: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        part = found
    return part


def _schema(
    pair: _Pair, place: str, old: Json, new: Json, *, sent: bool, seen: frozenset[str] = frozenset()
) -> Iterator[str]:
    """What breaks between two schemas.

    Args:
        pair: the documents.
        place: whose they are.
        old: before.
        new: after.
        sent: whether others send it to us.
        seen: references on the way here; a type may hold itself.
    """
    old, new = (each if isinstance(each, Mapping) else {} for each in (old, new))  # `true` is a schema too
    if "$ref" in old:
        if old["$ref"] in seen:
            return
        seen |= {old["$ref"]}
    old, new = _follow(pair.old, old), _follow(pair.new, new)
    yield from _types(pair, place, old, new, sent=sent)
    before, after = _plain(pair.old, old), _plain(pair.new, new)
    gone = set(_values(before)) - set(_values(after)) if _values(after) else set()
    for value in sorted(map(str, gone)):
        yield f"{place}: value {value} is gone"
    if sent:
        if _values(after) and not _values(before):
            yield f"{place} takes some values only"
        yield from _bounds(place, before, after)
    yield from _members(pair, place, before, after, sent=sent, seen=seen)
    if "items" in before and "items" in after:
        yield from _schema(pair, f"{place}[]", before["items"], after["items"], sent=sent, seen=seen)
    free = "additionalProperties"
    if isinstance(before.get(free), Mapping) and isinstance(after.get(free), Mapping):
        yield from _schema(pair, f"{place}.*", before[free], after[free], sent=sent, seen=seen)


def _members(pair: _Pair, place: str, old: Json, new: Json, *, sent: bool, seen: frozenset[str]) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name, member in before.items():
        if name not in after:
            yield f"{place}.{name} is gone"
        else:
            yield from _schema(pair, f"{place}.{name}", member, after[name], sent=sent, seen=seen)
    was, now = set(old.get("required", ())), set(new.get("required", ()))
    if sent:
        yield from (f"{place}.{name} became necessary" for name in sorted(now - was))
    else:
        yield from (f"{place}.{name} may be missing now" for name in sorted((was - now) & after.keys()))


def _bounds(place: str, old: Json, new: Json) -> Iterator[str]:
    for names, narrower in ((_LOWER, operator.gt), (_UPPER, operator.lt)):
        for name in names:
            if name in new and (name not in old or narrower(new[name], old[name])):
                yield f"{place}: {name} became {new[name]}, was {old.get(name, 'none')}"
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield f"{place}: pattern became {new['pattern']}"


def _types(pair: _Pair, place: str, old: Json, new: Json, *, sent: bool) -> Iterator[str]:
    before, after = _kinds(pair.old, old), _kinds(pair.new, new)
    # An integer is a number; no type at all is any.
    if sent and after and (not before or _wide(before) - _wide(after)):
        yield f"{place}: type became {_told(after)}, was {_told(before)}"
    if not sent and before and (not after or _wide(after) - _wide(before)):
        yield f"{place}: type became {_told(after)}, was {_told(before)}"


def _wide(kinds: frozenset[str]) -> frozenset[str]:
    return kinds | {"integer"} if "number" in kinds else kinds


def _told(kinds: frozenset[str]) -> str:
    return " or ".join(sorted(kinds)) or "anything"


def _kinds(document: Json, schema: Json) -> frozenset[str]:
    schema = _follow(document, schema)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            each = [_kinds(document, one) for one in schema[word]]
            return frozenset().union(*each) if all(each) else frozenset()
    kind = schema.get("type")
    if isinstance(kind, str):
        return frozenset({kind})
    return frozenset(kind or ())


def _plain(document: Json, schema: Json) -> Json:
    """A schema without the choice to be null: members, values and bounds are those of what it is otherwise."""
    for word in ("anyOf", "oneOf"):
        if word in schema:
            each = [_follow(document, one) for one in schema[word]]
            full = [one for one in each if one.get("type") != "null"]
            if len(full) == 1:
                return {**full[0], **{k: v for k, v in schema.items() if k != word}}
    return schema


def _values(schema: Json) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))
