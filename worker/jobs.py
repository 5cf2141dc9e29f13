"""The desk's jobs as procrastinate tasks: each is one transaction, each may be repeated without harm."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from procrastinate import App, BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job
from structlog.contextvars import bind_contextvars, bound_contextvars

from servicedesk.calling import PAGE
from servicedesk.care_news import OFFER_JOB, SURVEY_JOB
from servicedesk.judging import LEARN
from servicedesk.ladder import failed
from servicedesk.money_news import FOLLOW_JOB, QUOTE_JOB, RESTOCK_JOB
from servicedesk.moves import RELEASE
from servicedesk.notices import DELIVER
from servicedesk.office import PLAN, Office
from servicedesk.opening import RECUR, REVISE, VERIFY
from servicedesk.privacy import ERASE_JOB
from servicedesk.replanning import PLAN_ALL
from storage.correlation import of_finding, of_notice, of_thing, of_ticket
from storage.desk import PgDesk
from storage.jobs import QUEUE
from storage.pool import Connection, Pool
from telemetry.catalogue import Catalogue
from telemetry.clock import to_datetime
from telemetry.ids import maker
from worker.chores import FALL_DUE, Work, carry_out
from worker.levels_file import promised
from worker.notify import Channel

log = structlog.get_logger()

_LONGEST = 60
_FRAMES = 6


class Patience(BaseRetryStrategy):
    """Repeats for ever, ever more slowly up to a minute: a job is never given up."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:  # noqa: ARG002  (the library's signature)
        """Wait 1, 2, 4 … 60 wall seconds."""
        return RetryDecision(retry_in={"seconds": min(_LONGEST, 2 ** min(job.attempts, 6))})


Origin = Callable[[Connection, UUID], str | None]
"""Finds the message that a thing goes back to."""


@dataclass(frozen=True, slots=True)
class Bureau:
    """What the jobs work with.

    Attributes:
        pool: connections; a job takes one for its transaction.
        catalogue: appliance kinds.
        fleet_now: fleet time, microseconds.
        channel: how notices are carried out.
        public_url: what owners' links begin with.
    """

    pool: Pool
    catalogue: Catalogue
    fleet_now: Callable[[], int]
    channel: Channel
    public_url: str
    rng: random.Random = field(default_factory=random.SystemRandom)

    @contextmanager
    def transaction(self, task: str, origin: Origin, about: UUID) -> Iterator[Work]:
        """An office on a transaction of its own; what is logged meanwhile names the task and its origin.

        Args:
            task: its name.
            origin: finds the message that a thing goes back to.
            about: the thing.
        """
        now = self.fleet_now()
        with bound_contextvars(task=task, correlation=None), said(), self.pool.connection() as conn:
            correlation = origin(conn, about)
            bind_contextvars(correlation=correlation)
            office = Office(
                PgDesk(conn, self.public_url),
                self.catalogue,
                maker(lambda: now, self.rng),
                channel="mailbox" if self.channel.final else "mail",
                levels=promised(),
            )
            yield Work(office, to_datetime(now), correlation)
            (log.debug if task == FALL_DUE else log.info)("job", about=str(about))


@contextmanager
def said() -> Iterator[None]:
    """Name what made a job fail: it is repeated, and nobody else would say why."""
    try:
        yield
    except Exception as error:
        # Plain: a renderer that shows local variables would spend seconds on the catalogue.
        log.warning("a job failed and is repeated", error=repr(error), trace=traceback.format_exc(limit=-_FRAMES))
        raise


def _register_of_ticket(app: App, bureau: Bureau, name: str, retry: Patience) -> None:
    """Add a task that is about a ticket and needs nothing else."""

    @app.task(name=name, queue=QUEUE, retry=retry)
    def about_ticket(*, ticket: str) -> None:
        with bureau.transaction(name, of_ticket, UUID(ticket)) as work:
            carry_out(work, bureau.channel, name, {"ticket": ticket})


def _register_erasure(app: App, bureau: Bureau, retry: Patience) -> None:
    @app.task(name=ERASE_JOB, queue=QUEUE, retry=retry)
    def erase_household(*, household: str) -> None:
        with bureau.transaction(ERASE_JOB, of_thing, UUID(household)) as work:
            carry_out(work, bureau.channel, ERASE_JOB, {"household": household})


def _register_board(app: App, bureau: Bureau, retry: Patience) -> None:
    @app.task(name=PLAN_ALL, queue=QUEUE, retry=retry)
    def plan_all(*, plan: str, org: str, days: int, actor: str) -> None:
        with bureau.transaction(PLAN_ALL, of_thing, UUID(plan)) as work:
            carry_out(work, bureau.channel, PLAN_ALL, {"plan": plan, "org": org, "days": days, "actor": actor})

    @app.task(name=RELEASE, queue=QUEUE, retry=retry)
    def release_move(*, move: str) -> None:
        with bureau.transaction(RELEASE, of_thing, UUID(move)) as work:
            carry_out(work, bureau.channel, RELEASE, {"move": move})


def register(app: App, bureau: Bureau) -> None:
    """Add the desk's tasks to an app."""
    patient = Patience()

    for name in (PLAN, QUOTE_JOB, FOLLOW_JOB, RESTOCK_JOB, OFFER_JOB, SURVEY_JOB):
        _register_of_ticket(app, bureau, name, patient)
    _register_erasure(app, bureau, patient)
    _register_board(app, bureau, patient)

    @app.task(name=DELIVER, queue=QUEUE, retry=patient)
    def deliver_notice(*, notice: str) -> None:
        try:
            with bureau.transaction(DELIVER, of_notice, UUID(notice)) as work:
                carry_out(work, bureau.channel, DELIVER, {"notice": notice})
        except OSError as error:
            # Its own transaction was undone; that the channel fails is noted in another, and the job is repeated.
            with bureau.transaction(DELIVER, of_notice, UUID(notice)) as work:
                failed(work.office, UUID(notice), repr(error), work.now)
            raise

    @app.task(name=PAGE, queue=QUEUE, retry=patient)
    def page_person(*, page: str) -> None:
        with bureau.transaction(PAGE, of_thing, UUID(page)) as work:
            carry_out(work, bureau.channel, PAGE, {"page": page})

    @app.task(name=VERIFY, queue=QUEUE, retry=patient)
    def take_verdict(*, finding: str, revision: int) -> None:
        with bureau.transaction(VERIFY, of_finding, UUID(finding)) as work:
            carry_out(work, bureau.channel, VERIFY, {"finding": finding, "revision": revision})

    @app.task(name=RECUR, queue=QUEUE, retry=patient)
    def take_up_again(*, finding: str) -> None:
        with bureau.transaction(RECUR, of_finding, UUID(finding)) as work:
            carry_out(work, bureau.channel, RECUR, {"finding": finding})

    @app.task(name=REVISE, queue=QUEUE, retry=patient)
    def take_severity(*, finding: str) -> None:
        with bureau.transaction(REVISE, of_finding, UUID(finding)) as work:
            carry_out(work, bureau.channel, REVISE, {"finding": finding})

    @app.task(name=LEARN, queue=QUEUE, retry=patient)
    def learn_verdict(*, ticket: str) -> None:
        with bureau.transaction(LEARN, of_ticket, UUID(ticket)) as work:
            carry_out(work, bureau.channel, LEARN, {"ticket": ticket})

    @app.task(name=FALL_DUE, queue=QUEUE, retry=patient)
    def do_due(*, due: int, kind: str, ref: str) -> None:
        with bureau.transaction(FALL_DUE, of_thing, UUID(ref)) as work:
            carry_out(work, bureau.channel, FALL_DUE, {"due": due, "kind": kind, "ref": ref})
