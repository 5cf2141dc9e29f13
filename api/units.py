"""How a feature's values are shown: UCUM codes become units that people use."""

from __future__ import annotations

from dataclasses import dataclass

_HOUR = 3600.0
_MINUTE = 60.0
_NAMES: dict[str, tuple[str, str]] = {
    "W": ("W", "W"),
    "Cel": ("°C", "°C"),
    "K": ("°C", "°C"),
    "/min": ("rpm", "转/分"),
    "kJ": ("kJ", "kJ"),
    "mm/s": ("mm/s", "mm/s"),
    "kg": ("kg", "kg"),
    "K/min": ("°C/min", "°C/分钟"),
    "g": ("g", "g"),
    "A": ("A", "A"),
    "V": ("V", "V"),
    "{#}": ("", ""),
    "W/K": ("W/K", "瓦/开"),
    "L/h": ("L/h", "升/小时"),
    "bar": ("bar", "bar"),
    "L/min": ("L/min", "升/分钟"),
    "L": ("L", "升"),
    "Pa": ("Pa", "帕"),
    "kPa": ("kPa", "千帕"),
    "mbar": ("mbar", "毫巴"),
    "W.h": ("Wh", "瓦时"),
    "kW.h": ("kWh", "千瓦时"),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as shown; a stored value times `scale` is the shown one."""

    scale: float
    en: str
    zh: str
    decimals: int

    def name(self, lang: str) -> str:
        """Its name in a language."""
        return self.zh if lang == "zh" else self.en

    def say(self, number: str, lang: str) -> str:
        """A number with its unit; a percent sign stands close."""
        name = self.name(lang)
        return f"{number}{name}" if name in ("%", "") else f"{number}\N{NO-BREAK SPACE}{name}"


HOURS_A_DAY = Unit(24.0, "h", "小时", 1)
"""How owners read a share of time: as hours of a day."""


def unit_of(code: str, typical: float) -> Unit:
    """How to show a quantity of a UCUM code whose values are about `typical`."""
    if code == "s":
        if abs(typical) >= 2 * _HOUR:
            return Unit(1 / _HOUR, "h", "小时", 1)
        if abs(typical) >= 5 * _MINUTE:
            return Unit(1 / _MINUTE, "min", "分钟", 1 if abs(typical) < 10 * _MINUTE else 0)
        return Unit(1.0, "s", "秒", 0)
    if code in ("1", "%"):
        return Unit(100.0 if code == "1" else 1.0, "%", "%", 0)
    en, zh = _NAMES.get(code, (code, code))
    return Unit(1.0, en, zh, _decimals(typical))


def _decimals(typical: float) -> int:
    size = abs(typical)
    return 0 if size >= 100 else 1 if size >= 1 else 2  # noqa: PLR2004  (three figures in all)
