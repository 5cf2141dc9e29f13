"""Every kind of the catalogue has its tables: readings column by column, and roll-ups of each level."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files

import numpy as np
import pytest
from psycopg import sql

from api.pages.case import ICONS
from storage.overview import count_readings
from storage.pool import connect
from storage.registry import register_device
from storage.rollup_levels import LEVELS, columns, rollup_table
from storage.rollups import PlainRollUps
from storage.telemetry_rows import Batch, Readings
from storage.telemetry_store import TelemetryStore
from telemetry.catalogue import load_catalogue
from telemetry.clock import to_micros
from telemetry.identity import DeviceKey

CATALOGUE = load_catalogue()
DAY0 = datetime(2026, 3, 2, tzinfo=UTC)
_COLUMNS = """
select attname, format_type(atttypid, null) from pg_attribute
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum
"""
_SPINE = {
    "device": "integer",
    "t": "timestamp with time zone",
    "epoch": "bigint",
    "seq": "bigint",
    "sub": "smallint",
    "arrival": "timestamp with time zone",
    "phase": "text",
    "late": "boolean",
}
_ROLLED = {"min": "real", "max": "real", "sum": "double precision", "count": "bigint"}


@pytest.mark.stack
@pytest.mark.parametrize("kind", sorted(CATALOGUE.kinds))
def test_a_kind_has_a_table_with_its_channels(kind: str, database_url: str) -> None:
    channels = list(CATALOGUE[kind].channels)
    with connect(database_url, application="test") as conn:
        assert conn.execute(_COLUMNS, (f"reading_{kind}",)).fetchall() == [
            *_SPINE.items(),
            *((channel, "real") for channel in channels),
        ]
        for level in LEVELS:
            assert conn.execute(_COLUMNS, (f"rollup_{kind}_{level.name}",)).fetchall() == [
                ("device", "integer"),
                ("bucket", "timestamp with time zone"),
                *((name, _ROLLED.get(name.rsplit("_", 1)[-1], "bigint")) for name in columns(channels)),
            ]


@pytest.mark.stack
def test_readings_of_every_kind_are_stored_counted_and_rolled_up(database_url: str) -> None:
    with connect(database_url, application="test") as conn:
        store = TelemetryStore(conn, CATALOGUE)
        for kind, spec in CATALOGUE.kinds.items():
            device = register_device(conn, DeviceKey("demo", f"one-{kind}"), kind, registered=DAY0).no
            t = to_micros(DAY0) + np.arange(4, dtype=np.int64) * 30_000_000
            values = np.arange(4 * len(spec.channels), dtype=np.float32).reshape(4, -1)
            store.stage(
                [
                    Readings(
                        kind=kind,
                        device=np.full(4, device, np.int32),
                        t=t,
                        epoch=np.ones(4, np.int64),
                        seq=np.ones(4, np.int64),
                        sub=np.arange(4, dtype=np.int16),
                        arrival=t,
                        phase=np.full(4, -1, np.int16),
                        late=np.zeros(4, np.bool_),
                        values=values,
                        words=(),
                    )
                ]
            )
            store.write(Batch())
            conn.commit()
        assert count_readings(conn, CATALOGUE) == 4 * len(CATALOGUE.kinds)
        conn.commit()
        conn.autocommit = True
        PlainRollUps(conn, CATALOGUE).refresh(DAY0 + timedelta(days=2))
        for kind, spec in CATALOGUE.kinds.items():
            last = list(spec.channels)[-1]
            found = conn.execute(
                sql.SQL("select n, {high} from {table} order by bucket").format(
                    high=sql.Identifier(f"{last}_max"), table=rollup_table(kind, "minute")
                )
            ).fetchall()
            width = len(spec.channels)
            assert found == [(2, 2.0 * width - 1), (2, 4.0 * width - 1)], kind


def test_a_kind_of_an_icon_has_its_symbol() -> None:
    sprite = files("api").joinpath("templates", "icons.html").read_text()
    for name in (*ICONS.values(), "plug"):
        assert f'id="i-{name}"' in sprite
