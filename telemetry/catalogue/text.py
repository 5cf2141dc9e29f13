"""Texts for people."""

from __future__ import annotations

import msgspec


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text for people in both languages."""

    zh: str
    en: str
