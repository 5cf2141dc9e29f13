"""Version 7 UUIDs as RFC 9562 has them: time first, growing within a millisecond and across threads."""

from __future__ import annotations

import random
import threading
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ids import Ids, maker, millis_of, uuid7

MICROS = 1_763_429_400_000_000


def test_the_fields_stand_where_the_rfc_has_them() -> None:
    # Appendix A.6 of RFC 9562: 2022-02-22T19:22:22Z, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F.
    class Fixed(random.Random):
        def getrandbits(self, k: int, /) -> int:
            assert k == 74
            return 0xCC3 << 62 | 0x18C4DC0C0C07398F

    assert uuid7(1_645_557_742_000_000, Fixed()) == UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")


@given(st.lists(st.integers(0, (1 << 48) * 1000 - 1), min_size=2, max_size=50), st.integers())
def test_they_only_grow_whatever_the_clock_does(times: list[int], seed: int) -> None:
    ids = Ids(random.Random(seed))
    made = [ids.at(each) for each in times]
    assert made == sorted(set(made))
    assert all(each.version == 7 and each.variant == RFC_4122 for each in made)
    assert millis_of(made[0]) == times[0] // 1000


def test_a_full_millisecond_runs_over_into_the_next() -> None:
    class Full(random.Random):
        def getrandbits(self, k: int, /) -> int:
            return (1 << k) - 1

    ids = Ids(Full())
    ids._millis, ids._tail = MICROS // 1000, (1 << 74) - 2
    following = ids.at(MICROS)
    assert millis_of(following) == MICROS // 1000 + 1
    assert following < ids.at(MICROS)


def test_threads_share_one_maker() -> None:
    new, found = maker(lambda: MICROS, random.Random(1)), list[UUID]()
    threads = [threading.Thread(target=lambda: found.extend([new() for _ in range(500)])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 2_000


def test_the_same_seed_gives_the_same_identifiers() -> None:
    one, two = (maker(lambda: MICROS, random.Random(5)) for _ in range(2))
    assert [one() for _ in range(3)] == [two() for _ in range(3)]


def test_another_version_has_no_time() -> None:
    with pytest.raises(ValueError, match="version 7"):
        millis_of(UUID(int=0))
