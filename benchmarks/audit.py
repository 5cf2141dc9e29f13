"""What the database holds of what the generator sent, and when it was committed.

    python -m benchmarks.audit --database postgresql://… --epoch 1 --from-seq 8 --to sent.npz

Lost: a message of the generator that is in no table of readings and no dead letter. Duplicated: a second row of one
`(device, epoch, seq, sub)`. The commit time of a row is `pg_xact_commit_timestamp(xmin)`: when the transaction wrote
its commit record, a flush of the log (milliseconds) before the client heard of it; the server runs with
`track_commit_timestamp`.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
import psycopg
from numpy.typing import NDArray

_ROWS = """
copy (
  select substring(d.device from '[0-9]+$')::integer, r.seq::integer,
         (extract(epoch from pg_xact_commit_timestamp(r.xmin)) * 1e6)::bigint
  from reading_pump r join device d on d.no = r.device
  where r.epoch = %s and r.seq between %s and %s and r.sub = 0
) to stdout (format csv)
"""
_DEAD = "select count(*) from dead_letter"


def audit(url: str, epoch: int, sent: str) -> dict[str, object]:
    """Compare. Latencies in milliseconds; `backlog` is published less committed at each second of the run."""
    with np.load(sent) as file:
        times, last, first_seq = file["times"], file["last"], int(file["first_seq"])
    until = int(last.max())
    with psycopg.connect(url) as conn, conn.cursor() as cursor:
        with cursor.copy(_ROWS, (epoch, first_seq, until)) as copy:
            raw = b"".join(bytes(part) for part in copy)
        dead = cursor.execute(_DEAD).fetchone()
    text = raw.strip().replace(b"\n", b",").decode()
    rows = np.fromstring(text, dtype=np.int64, sep=",").reshape(-1, 3) if text else np.empty((0, 3), np.int64)
    committed = np.zeros(times.shape, np.int64)
    committed[rows[:, 1] - first_seq, rows[:, 0]] = rows[:, 2]
    published = times > 0
    stored = published & (committed > 0)
    latency = (committed[stored] / 1e6 - times[stored]) * 1e3
    return {
        "stored": int(stored.sum()),
        "published": int(published.sum()),
        "lost": int((published & ~stored).sum()),
        "duplicated": len(rows) - int((committed > 0).sum()),
        "dead": int(dead[0]) if dead else 0,
        "p50_ms": _percentile(latency, 50),
        "p99_ms": _percentile(latency, 99),
        "slow_seconds": slow_seconds(times[stored], latency),
        "max_ms": float(latency.max()) if len(latency) else None,
        "carried_per_s": carried(times[published], committed[stored] / 1e6),
        "backlog": backlog(times[published], committed[stored] / 1e6),
    }


def backlog(published: NDArray[np.float64], committed: NDArray[np.float64]) -> list[int]:
    """Messages published and not yet committed at each full second of publication."""
    begin, end = float(published.min()), float(published.max())
    marks = np.arange(begin + 1, end, 1.0)
    out = np.searchsorted(np.sort(published), marks) - np.searchsorted(np.sort(committed), marks)
    return [int(x) for x in out]


def slow_seconds(published: NDArray[np.float64], latency: NDArray[np.float64]) -> list[tuple[int, float]]:
    """The five seconds of the run whose messages waited longest, with their worst latency, milliseconds."""
    if not len(latency):
        return []
    second = (published - published.min()).astype(np.int64)
    worst = np.zeros(int(second.max()) + 1)
    np.maximum.at(worst, second, latency)
    return [(int(s), round(float(worst[s]), 1)) for s in np.argsort(-worst, kind="stable")[:5]]


def carried(published: NDArray[np.float64], committed: NDArray[np.float64]) -> float:
    """Messages committed a second while the generator published, its first fifth left out."""
    begin, end = float(published.min()), float(published.max())
    begin += (end - begin) / 5
    return round(float(((committed > begin) & (committed <= end)).sum()) / max(1e-9, end - begin), 1)


def _percentile(latency: NDArray[np.float64], q: float) -> float | None:
    return round(float(np.percentile(latency, q)), 1) if len(latency) else None


def main() -> None:
    """Run by command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--epoch", type=int, default=1)
    parser.add_argument("--sent", required=True)
    given = parser.parse_args()
    print(json.dumps({"done": audit(given.database, given.epoch, given.sent)}), flush=True)


if __name__ == "__main__":
    main()
