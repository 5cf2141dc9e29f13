"""Writes `client/types` and `client/routes` from the service's OpenAPI document: `make client`.

A shape that only one tag reaches stands in the module of that tag, one that several reach in `shared`; so no module
refers to another but `shared`. Members that may be null have a default, so that an older service is understood.
"""

from __future__ import annotations

import builtins
import json
import keyword
import re
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Json = Mapping[str, Any]
_REF = "#/components/schemas/"
_FORMATS = {"uuid": "UUID", "date-time": "datetime", "date": "date"}
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_MORE = ("ChangeOut",)
_PAGE = re.compile(r"Page_(\w+)_")
SHARED = "shared"
_STREAM = "text/event-stream"
_NOTE = "Written by `make client` from the OpenAPI document; do not edit."


def module_of(tag: str) -> str:
    """The module of a tag."""
    return re.sub(r"\W", "_", tag)


class Document:
    """The document, with where each of its shapes stands."""

    def __init__(self, document: Json) -> None:
        self.schemas: Json = document["components"]["schemas"]
        self.operations: dict[str, list[tuple[str, str, Json]]] = defaultdict(list)
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if path.startswith("/v1/") and _STREAM not in _content(operation):
                    self.operations[operation["tags"][0]].append((path, method.upper(), operation))
        reached: dict[str, set[str]] = defaultdict(set)
        for tag, operations in self.operations.items():
            for name in self._reach(operations):
                reached[name].add(module_of(tag))
        for name in self._reach([{"$ref": _REF + each} for each in _MORE]):
            reached[name].add(SHARED)
        self.home = {name: min(tags) if len(tags) == 1 else SHARED for name, tags in reached.items()}

    def _reach(self, value: object) -> set[str]:
        found: set[str] = set()
        waiting = list(_references(value))
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += _references(self.schemas[name])
        return {name for name in found if not _PAGE.fullmatch(name) and name != "ProblemOut"}

    def kind(self, schema: Json) -> str:
        """A schema as an annotation."""
        if "$ref" in schema:
            name = schema["$ref"].removeprefix(_REF)
            page = _PAGE.fullmatch(name)
            return f"Page[{page[1]}]" if page else str(name)
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if values is not None:
            return f"Literal[{', '.join(repr(each) for each in values)}]"
        several = next((schema[each] for each in ("anyOf", "oneOf", "allOf") if each in schema), None)
        if several is not None:
            return " | ".join(dict.fromkeys(self.kind(each) for each in several))
        return self._plain(schema)

    def _plain(self, schema: Json) -> str:
        kind, values = schema.get("type"), schema.get("additionalProperties")
        known = {
            "array": lambda: f"list[{self.kind(schema.get('items', {}))}]",
            "object": lambda: f"dict[str, {self.kind(values) if isinstance(values, dict) else 'Any'}]",
            "string": lambda: _FORMATS.get(schema.get("format", ""), "str"),
        }
        if "prefixItems" in schema:
            return f"tuple[{', '.join(self.kind(each) for each in schema['prefixItems'])}]"
        return known[kind]() if kind in known else _PLAIN.get(str(kind), "Any")

    def types(self, module: str) -> str:
        """The module of the shapes of a tag."""
        names = sorted(name for name, home in self.home.items() if home == module)
        # Annotations are read late: any order will do.
        shapes = "\n\n".join(self._shape(name) for name in names)
        return _module(f"Shapes of {module.replace('_', ' ')}.", shapes, self._imported(shapes, module))

    def _imported(self, text: str, module: str) -> list[str]:
        words = set(re.findall(r"\b\w+\b", text))
        shared = sorted(name for name, home in self.home.items() if home == SHARED and name in words and module != home)
        return [f"from client.types.{SHARED} import ({', '.join(shared)})"] if shared else []

    def _shape(self, name: str) -> str:
        schema = self.schemas[name]
        if "enum" in schema:
            return f"{name} = {self.kind(schema)}\n"
        needed, later = [], []
        wanted = set(schema.get("required", ()))
        given = name.endswith("In")
        for key, each in schema.get("properties", {}).items():
            kind = self.kind(each)
            named = _name(key)
            renamed = "" if named == key else f"name={key!r}"
            if key in wanted and (given or "None" not in kind.split(" | ")):
                needed.append(f"    {named}: {kind}" + (f" = msgspec.field({renamed})" if renamed else ""))
                continue
            kind = kind if "None" in kind.split(" | ") or kind == "Any" else f"{kind} | None"
            default = f" = msgspec.field(default=None, {renamed})" if renamed else " = None"
            later.append(f"    {named}: {kind}{default}")
        options = "frozen=True, kw_only=True" + (", omit_defaults=True" if given else "")
        lines = needed + later or ["    pass"]
        return "\n".join(
            [
                f"class {name}(msgspec.Struct, {options}):",
                _docstring(schema.get("description", name), 4),
                "",
                *lines,
                "",
            ]
        )

    def routes(self, tag: str) -> str:
        """The module of the methods of a tag."""
        module = module_of(tag)
        name = "".join(part.capitalize() for part in module.split("_")) + "Routes"
        methods = "\n".join(self._method(*each) for each in self.operations[tag])
        text = f'class {name}(Caller):\n    """Methods of {tag}."""\n\n{methods}'
        words = set(re.findall(r"\b\w+\b", methods))
        imports = []
        for home in sorted({module, SHARED}):
            known = sorted(each for each, at in self.home.items() if at == home and each in words)
            imports += [f"from client.types.{home} import ({', '.join(known)})"] if known else []
        core = [each for each in ("Page", "segment") if each in words]
        return _module(
            f"Methods of {tag}.", text, [f"from client.core import {', '.join(['Caller', *core])}", *imports]
        )

    def _method(self, path: str, method: str, operation: Json) -> str:
        parameters = operation.get("parameters", [])
        in_path = {p["name"]: p["schema"] for p in parameters if p["in"] == "path"}
        in_query = {p["name"]: p["schema"] for p in parameters if p["in"] == "query"}
        before = [f"{_argument(key)}: {self.kind(each).replace('UUID', 'UUID | str')}" for key, each in in_path.items()]
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        before += [f"body: {self.kind(body)}"] if body is not None else []
        after = [f"{_argument(key)}: {_optional(self.kind(each))} = None" for key, each in in_query.items()]
        headers = {p["name"] for p in parameters if p["in"] == "header"}
        after += ["if_match: str | None = None"] if "If-Match" in headers else []
        after += ["key: str | None = None"] if "Idempotency-Key" in headers else []
        shape = _content(operation).get("application/json", {}).get("schema")
        kind = "bytes" if shape is None else self.kind(shape)
        address = re.sub(r"\{(\w+)\}", lambda part: f"{{segment({_argument(part[1])})}}", path)
        said = [f'{"f" if in_path else ""}"{address}"', kind]
        if in_query:
            said.append("query={" + ", ".join(f'"{key}": {_argument(key)}' for key in in_query) + "}")
        said += ["body=body"] if body is not None else []
        said += [f"{each.split(':')[0]}={each.split(':')[0]}" for each in after if each.startswith(("if_match", "key"))]
        signature = ", ".join(["self", *before, *(["*", *after] if after else [])])
        note = "" if len(before) < 5 else "  # noqa: PLR0917  (parts of an address)"  # noqa: PLR2004  (the linter's)
        return "\n".join(
            [
                f"    def {_name(operation['operationId'])}({signature}) -> {kind}:{note}",
                _docstring(operation.get("description") or operation["summary"], 8),
                f'        return self.call("{method}", {", ".join(said)})',
                "",
            ]
        )


def _content(operation: Json) -> Json:
    """What an operation answers when it is done, by media type."""
    done = next(each for status, each in operation["responses"].items() if status.startswith("2"))
    found: Json = done.get("content", {})
    return found


def _references(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key == "$ref" and isinstance(each, str) and each.startswith(_REF):
                yield each.removeprefix(_REF)
            else:
                yield from _references(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _references(each)


def _name(key: str) -> str:
    safe = re.sub(r"\W", "_", key)
    return f"{safe}_" if keyword.iskeyword(safe) else safe


def _argument(key: str) -> str:
    """A name that hides none of the language's own."""
    safe = _name(key)
    return f"{safe}_" if hasattr(builtins, safe) else safe


def _optional(kind: str) -> str:
    return kind if "None" in kind.split(" | ") else f"{kind} | None"


def _docstring(text: str, indent: int) -> str:
    first = " ".join(text.split("\n\n", maxsplit=1)[0].split()).replace("\\", "")
    first = first if first.endswith((".", "!", "?")) else f"{first}."
    pad = " " * indent
    if len(first) + indent + 6 <= 120:  # noqa: PLR2004  (the line's length)
        return f'{pad}"""{first}"""'
    head, _, rest = first.partition(". ")
    if not rest or len(head) + indent + 5 > 120:  # noqa: PLR2004  (likewise)
        head, rest = textwrap.shorten(first, 110 - indent, placeholder=" …") + ".", first
    wrapped = textwrap.wrap(rest, 118 - indent)
    return "\n".join([f'{pad}"""{head.rstrip(".")}.', "", *(pad + line for line in wrapped), f'{pad}"""'])


def _module(title: str, text: str, imports: list[str]) -> str:
    words = set(re.findall(r"\b\w+\b", text))
    dates = [each for each in ("date", "datetime") if re.search(rf"[:\[| ]{each}\b", text)]
    typing = [each for each in ("Any", "Literal") if each in words]
    lines = [f'"""{title} {_NOTE}"""', "", "from __future__ import annotations", ""]
    lines += [f"from datetime import {', '.join(dates)}"] if dates else []
    lines += [f"from typing import {', '.join(typing)}"] if typing else []
    lines += ["from uuid import UUID"] if "UUID" in words else []
    lines += ["", "import msgspec"] if "msgspec" in words else []
    lines += ["", *imports] if imports else []
    return "\n".join([*lines, "", "", text])


def write(document: Json, folder: Path) -> list[Path]:
    """Write both packages below a folder. Returns the files."""
    made = Document(json.loads(json.dumps(document, sort_keys=True)))
    files = {
        folder / "types" / "__init__.py": _all_types(made.home),
        folder / "routes" / "__init__.py": _together(sorted(made.operations)),
    }
    for module in sorted(set(made.home.values())):
        files[folder / "types" / f"{module}.py"] = made.types(module)
    for tag in made.operations:
        files[folder / "routes" / f"{module_of(tag)}.py"] = made.routes(tag)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for stale in {each for part in ("types", "routes") for each in (folder / part).glob("*.py")} - files.keys():
        stale.unlink()
    return list(files)


def _all_types(home: Mapping[str, str]) -> str:
    """Every shape by its name alone: which module it stands in is nobody's business."""
    names = sorted(home)
    imports = "\n".join(
        f"from client.types.{module} import ({', '.join(name for name in names if home[name] == module)})"
        for module in sorted(set(home.values()))
    )
    exported = ", ".join(f'"{name}"' for name in names)
    return (
        f'"""Shapes of `/v1`. {_NOTE}"""\n\nfrom __future__ import annotations\n\n{imports}\n\n__all__ = [{exported}]\n'
    )


def _together(tags: list[str]) -> str:
    classes = {module_of(tag): "".join(p.capitalize() for p in module_of(tag).split("_")) + "Routes" for tag in tags}
    imports = "\n".join(f"from client.routes.{module} import {name}" for module, name in classes.items())
    bases = ", ".join(classes.values())
    return (
        f'"""All methods of `/v1`. {_NOTE}"""\n\nfrom __future__ import annotations\n\n{imports}\n\n\n'
        f'class Routes({bases}):\n    """Every operation of the document, as a method of its name."""\n'
    )


if __name__ == "__main__":
    write(json.load(sys.stdin), Path(__file__).parent)
