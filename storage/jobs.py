"""Jobs that leave with a transaction: procrastinate's schema, its app, and deferring through a given connection."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.schema import SchemaManager
from psycopg import errors
from psycopg.types.json import Jsonb

from storage.pool import Connection

QUEUE = "desk"
"""The queue of the service desk's jobs."""
HOOKS = "hooks"
"""The queue of what is sent to other systems: one that does not answer keeps no notice waiting."""
QUEUES = (QUEUE, HOOKS)

_INSTALLED = "select to_regclass('procrastinate_jobs') is not null"
_DEFER = """
select procrastinate_defer_jobs_v1(array[
    row(%s, %s, %s, %s, %s, %s, %s)::procrastinate_job_to_defer_v1
])
"""


_REAP_LOCK = "select pg_try_advisory_xact_lock(7239403)"
_STALLED = """
select j.id, j.task_name from procrastinate_jobs j left join procrastinate_workers w on w.id = j.worker_id
where j.status = 'doing' and j.queue_name = any(%s)
  and (w.id is null or w.last_heartbeat < now() - make_interval(secs => %s))
order by j.id
"""
_RETRY = "select procrastinate_retry_job_v1(%s, now(), null, null, null)"
_FINISH = "select procrastinate_finish_job_v1(%s, 'failed', true)"


def install(conn: Connection) -> None:
    """Create procrastinate's tables when they are not there; part of the migration's transaction."""
    row = conn.execute(_INSTALLED).fetchone()
    if row is not None and row[0]:
        return
    conn.execute(SchemaManager.get_schema().encode())


def defer(
    conn: Connection,
    task: str,
    /,
    *,
    queue: str = QUEUE,
    lock: str | None = None,
    once: str | None = None,
    priority: int = 0,
    later: datetime | None = None,
    **arguments: Any,  # noqa: ANN401  (JSON values)
) -> bool:
    """Leave a job with the transaction of a connection: it exists if and only if that commits.

    Args:
        conn: inside a transaction.
        task: name of the task; it need not be importable here.
        queue: whose workers take it.
        lock: jobs of one lock run one after the other.
        once: while a job of this name waits, another is not entered.
        priority: higher runs earlier.
        later: wall time before which it does not run; it holds no clock until then.
        arguments: JSON values.

    Returns:
        Whether the job was entered.
    """
    row = (queue, task, priority, lock, once, Jsonb(arguments), later)
    if once is None:
        conn.execute(_DEFER, row)
        return True
    try:
        with conn.transaction():
            conn.execute(_DEFER, row)
    except errors.UniqueViolation:
        return False
    return True


def reap(conn: Connection, silence: float) -> list[tuple[int, str]]:
    """Put the jobs of workers whose heartbeat stopped back into the queue, in one transaction.

    One reaper at a time: what one has put back, and another worker begun again, a second one must not see as stalled.

    Args:
        conn: in autocommit.
        silence: seconds without a heartbeat.

    Returns:
        Number and task of each job.
    """
    with conn.transaction():
        row = conn.execute(_REAP_LOCK).fetchone()
        if row is None or not row[0]:
            return []
        stalled = [(int(str(job)), str(task)) for job, task in conn.execute(_STALLED, (list(QUEUES), silence))]
        for job, _ in stalled:
            try:
                with conn.transaction():
                    conn.execute(_RETRY, (job,))
            except errors.UniqueViolation:
                # The same job waits again already.
                conn.execute(_FINISH, (job,))
    return stalled


def make_app(url: str, register: Callable[[App], None]) -> App:
    """An app on a database, with the tasks that `register` adds; not opened."""
    app = App(
        connector=PsycopgConnector(conninfo=url, min_size=1, max_size=8, kwargs={"application_name": "wellkept-jobs"})
    )
    register(app)
    return app
