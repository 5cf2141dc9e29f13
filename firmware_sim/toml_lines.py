"""Where a key stands in a TOML text: `tomllib` does not say."""

from __future__ import annotations

import re
from collections import defaultdict

_PART = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_KEYS = rf"{_PART}(?:\s*\.\s*{_PART})*"
_TABLE = re.compile(rf"^\s*\[\s*({_KEYS})\s*\]\s*(?:#.*)?$")
_ARRAY = re.compile(rf"^\s*\[\[\s*({_KEYS})\s*\]\]\s*(?:#.*)?$")
_KEY = re.compile(rf"^\s*({_KEYS})\s*=\s*(.*)$")
_STRING = re.compile(r"""\"\"\"|'''|"(?:[^"\\]|\\.)*"|'[^']*'""")


class Lines:
    """The line of each key and table of a text.

    Paths are dotted, with a number in brackets for each element of an array of tables: `fleet[1].models`. Keys inside
    inline tables and arrays stand on their parent's line.
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[str, int] = {}
        self._counts: dict[str, int] = defaultdict(int)
        table, until, depth = "", "", 0
        for number, line in enumerate(text.splitlines(), 1):
            if until:
                until = "" if until in line else until
            elif depth > 0:
                until, change = _open(line)
                depth += change
            elif found := _ARRAY.match(line):
                table = self._table(found[1], number, array=True)
            elif found := _TABLE.match(line):
                table = self._table(found[1], number, array=False)
            elif found := _KEY.match(line):
                path = table
                for part in _parts(found[1]):
                    path = f"{path}.{part}" if path else part
                    self._lines.setdefault(path, number)
                until, depth = _open(found[2])

    def __getitem__(self, path: str) -> int | None:
        """The line of a path, or of the nearest table around it that has one."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return None

    def _table(self, keys: str, number: int, *, array: bool) -> str:
        path = ""
        parts = _parts(keys)
        for place, part in enumerate(parts):
            path = f"{path}.{part}" if path else part
            if array and place == len(parts) - 1:
                self._counts[path] += 1
            if path in self._counts:
                path = f"{path}[{self._counts[path] - 1}]"
            self._lines.setdefault(path, number)
        return path


def _parts(keys: str) -> list[str]:
    found = re.findall(_PART, keys)
    return [one[1:-1] if one[0] in "\"'" else one for one in found]


def _open(value: str) -> tuple[str, int]:
    """What a value leaves open at the end of its line: a triple quote, and how many brackets."""
    rest = value
    depth = 0
    while rest:
        quote = _STRING.search(rest)
        plain = rest[: quote.start()] if quote else rest
        comment = plain.find("#")
        if comment >= 0:
            return "", depth + _brackets(plain[:comment])
        depth += _brackets(plain)
        if quote is None:
            break
        rest = rest[quote.end() :]
        if quote[0] in {'"""', "'''"}:
            end = rest.find(quote[0])
            if end < 0:
                return quote[0], depth
            rest = rest[end + 3 :]
    return "", depth


def _brackets(text: str) -> int:
    return sum(text.count(one) for one in "[{") - sum(text.count(one) for one in "]}")
