"""What is wrong with a field of a request, in words: the validator's own English, and what it means elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from api.said import Sentence, said, told

_ANY = said("the value does not fit")
_MEANS: Mapping[str, Callable[[Mapping[str, Any]], Sentence]] = {
    "missing": lambda _: said("this field is needed"),
    "extra_forbidden": lambda _: said("there is no such field"),
    "string_too_short": lambda c: said("at least {least} characters", least=c.get("min_length", 1)),
    "string_too_long": lambda c: said("at most {most} characters", most=c.get("max_length", "")),
    "too_short": lambda c: said("at least {least} entries", least=c.get("min_length", 1)),
    "too_long": lambda c: said("at most {most} entries", most=c.get("max_length", "")),
    "string_type": lambda _: said("a text is expected"),
    "string_pattern_mismatch": lambda _: said("the text does not have the expected form"),
    "int_type": lambda _: said("a whole number is expected"),
    "int_parsing": lambda _: said("a whole number is expected"),
    "int_from_float": lambda _: said("a whole number is expected"),
    "float_type": lambda _: said("a number is expected"),
    "float_parsing": lambda _: said("a number is expected"),
    "decimal_type": lambda _: said("a number is expected"),
    "decimal_parsing": lambda _: said("a number is expected"),
    "bool_type": lambda _: said("true or false is expected"),
    "bool_parsing": lambda _: said("true or false is expected"),
    "uuid_type": lambda _: said("an id is expected"),
    "uuid_parsing": lambda _: said("an id is expected"),
    "list_type": lambda _: said("a list is expected"),
    "dict_type": lambda _: said("an object is expected"),
    "model_type": lambda _: said("an object is expected"),
    "model_attributes_type": lambda _: said("an object is expected"),
    "json_invalid": lambda _: said("this is not JSON"),
    "greater_than_equal": lambda c: said("not below {least}", least=c.get("ge", "")),
    "greater_than": lambda c: said("above {bound}", bound=c.get("gt", "")),
    "less_than_equal": lambda c: said("not above {most}", most=c.get("le", "")),
    "less_than": lambda c: said("below {bound}", bound=c.get("lt", "")),
    "literal_error": lambda c: said("one of: {expected}", expected=c.get("expected", "")),
    "enum": lambda c: said("one of: {expected}", expected=c.get("expected", "")),
    "datetime_type": lambda _: said("a time with its offset is expected"),
    "datetime_parsing": lambda _: said("a time with its offset is expected"),
    "timezone_aware": lambda _: said("a time with its offset is expected"),
    "datetime_from_date_parsing": lambda _: said("a time with its offset is expected"),
    "date_from_datetime_parsing": lambda _: said("a date is expected"),
    "date_parsing": lambda _: said("a date is expected"),
    "date_type": lambda _: said("a date is expected"),
}


def what_is_wrong(error: Mapping[str, Any]) -> Sentence:
    """One error of the validator.

    Args:
        error: with `type`, `msg` and `ctx`, as the validator gives it.
    """
    means = _MEANS.get(str(error["type"]))
    return told(str(error["msg"]), means(error.get("ctx") or {}) if means is not None else _ANY)
