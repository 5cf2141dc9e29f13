"""Notices whose bearer is killed before, during and after hand-over, and the jobs it leaves behind."""

from __future__ import annotations

import os
import signal
import time
from functools import partial

from tests.faults.kills import unfaulted
from tests.faults.post import Moment
from tests.faults.stage import Case


def bearer_killed(case: Case, moments: tuple[Moment, ...], leaks: int) -> None:
    """The worker is killed at a moment of the hand-over; every notice arrives, a repeat under the same Message-ID."""
    reference = unfaulted(case, leaks * len(moments))
    washers = case.washers(leaks * len(moments))
    post = case.stage.post
    with case.saying(washers) as saying:
        for number, moment in enumerate(moments):
            post.at(moment, partial(_kill_worker, case))
            began = time.monotonic()
            for washer in washers[number * leaks : (number + 1) * leaks]:
                saying.say(washer, "leak")
            case.until(lambda: post.struck, 30, f"a hand-over to strike {moment.value}")
            case.desk_settled((number + 1) * leaks)
            case.notes.append(f"{moment.value}: all notices out after {time.monotonic() - began:.1f} s")
    case.compare(reference)
    story = case.desk_settled(len(washers))
    mails = [mail for mail in post.mails() if mail.id in story.message_ids]
    twice = len(mails) - len({mail.id for mail in mails})
    case.notes.append(f"{len(mails)} mails for {len(story.message_ids)} notices, {twice} repeats")
    if Moment.DURING in moments or Moment.AFTER in moments:
        assert twice >= 1, "no mail came twice: the blow fell too early to prove anything"
    for mail in mails:
        first = next(each for each in mails if each.id == mail.id)
        assert (first.to, first.subject, first.whole) == (mail.to, mail.subject, mail.whole), "a repeat is another mail"


def _kill_worker(case: Case) -> None:
    os.kill(case.rig.pid("worker-1"), signal.SIGKILL)
