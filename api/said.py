"""Sentences of errors: English as text, and whatever is needed to say them in another language."""

from __future__ import annotations

from typing import Self

from api.i18n import catalogue


class Sentence(str):
    """A whole sentence with what was put into it; as text it is English.

    Attributes:
        message: as it stands in the catalogues, with braces.
        values: what goes into them; a `Sentence` among them is a word that is translated too.
    """

    message: str
    values: dict[str, object]
    __slots__ = ("message", "values")

    def __new__(cls, message: str, **values: object) -> Self:
        """Say something."""
        made = super().__new__(cls, message.format(**values) if values else message)
        made.message = message
        made.values = values
        return made

    def in_(self, lang: str) -> str:
        """The sentence in a language; English where the catalogue does not hold it."""
        if lang == "en":
            return str(self)
        message = catalogue(lang).get(self.message)
        if message is None:
            return str(self)
        values = {name: in_language(value, lang) for name, value in self.values.items()}
        return message.format(**values) if values else message


def said(message: str, **values: object) -> Sentence:
    """A sentence of an error; the catalogue `problems` holds it in both languages."""
    return Sentence(message, **values)


def in_language(value: object, lang: str) -> object:
    """A sentence in a language; anything else as it is."""
    return value.in_(lang) if isinstance(value, Sentence) else value


class _Told(Sentence):
    """A sentence whose English is given, and whose meaning is another sentence."""

    __slots__ = ("means",)
    means: Sentence

    def __new__(cls, text: str, means: Sentence) -> Self:
        """Keep both."""
        made = super().__new__(cls, text)
        made.means = means
        return made

    def in_(self, lang: str) -> str:
        """The given text, or the meaning in another language."""
        return str(self) if lang == "en" else self.means.in_(lang)


def told(text: str, means: Sentence) -> Sentence:
    """English words of another part of the product, with a sentence that says as much in other languages."""
    return _Told(text, means)


class _Several(Sentence):
    """Sentences one after the other."""

    __slots__ = ("parts",)
    parts: list[Sentence]

    def __new__(cls, parts: list[Sentence]) -> Self:
        """Join them."""
        made = super().__new__(cls, "; ".join(parts))
        made.parts = parts
        return made

    def in_(self, lang: str) -> str:
        """Each in the language."""
        return "; ".join(each.in_(lang) for each in self.parts)


def several(parts: list[Sentence]) -> Sentence:
    """Sentences one after the other."""
    return _Several(parts)
