"""What the database alone stores: the reference's transactions over and over, rows laid out beforehand.

python -m benchmarks.copy_only --database postgresql://… --for 5
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from benchmarks.generator import healthy_rows
from benchmarks.reference import ROW, encode_rows, prepare, store

_ROWS = 2_000
_HEAD = 19  # bytes before the first row of a COPY
_BEGIN = 1_700_000_000


def main() -> None:
    """Run by command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--for", dest="seconds", type=float, default=5.0)
    given = parser.parse_args()
    values = [tuple(float(x) for x in row) for row in healthy_rows(_ROWS)]
    heads = [(1 + i % 1_000, float(_BEGIN), 0, 1, 0) for i in range(_ROWS)]
    data = bytearray(encode_rows(heads, values, _BEGIN * 1_000_000))
    rows = np.frombuffer(data, ROW, count=_ROWS, offset=_HEAD)
    conn = prepare(given.database)
    began, turn, stored = time.monotonic(), 0, 0
    while time.monotonic() - began < given.seconds:
        rows["seq"] = turn * _ROWS // 1_000 + np.arange(_ROWS) // 1_000
        store(conn, bytes(data))
        turn += 1
        stored += _ROWS
    spent = time.monotonic() - began
    conn.execute("truncate reference_reading")
    conn.commit()
    print(json.dumps({"done": {"messages": stored, "seconds": spent}}), flush=True)


if __name__ == "__main__":
    main()
