"""Lists as CSV, where `Accept` asks for it: one line a row, members of members by dotted names."""

from __future__ import annotations

import csv
import io

from pydantic import BaseModel

from api.v1.models import Page
from telemetry.table_text import cell, flat

CSV = "text/csv"


def wanted(accept: str | None) -> bool:
    """Whether a list shall be CSV: it is named, and JSON is not named before it."""
    for each in (accept or "").split(","):
        kind, _, options = each.partition(";")
        if options.replace(" ", "").startswith("q=0") and not options.strip(" q=0."):
            continue
        if kind.strip().lower() in (CSV, "application/json", "*/*"):
            return kind.strip().lower() == CSV
    return False


def as_csv(page: Page[BaseModel]) -> bytes:
    """The rows; columns are those of any row, in the order in which they come."""
    rows = [flat(each.model_dump(mode="json")) for each in page.items]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\r\n")
    out.writerow(columns)
    out.writerows([cell(row.get(name)) for name in columns] for row in rows)
    return text.getvalue().encode()
