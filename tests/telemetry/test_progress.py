from hypothesis import given
from hypothesis import strategies as st

from telemetry.progress import Progress

SEQS = st.integers(min_value=1, max_value=60)


def settled(progress: Progress) -> set[int]:
    found = set(range(1, progress.upto + 1))
    for low, high in progress.beyond:
        found |= set(range(low, high + 1))
    return found


@given(st.lists(st.one_of(SEQS, st.tuples(st.just("base"), SEQS)), max_size=80))
def test_equals_a_plain_set_of_numbers(steps: list[int | tuple[str, int]]) -> None:
    progress, plain = Progress(1), set[int]()
    for step in steps:
        if isinstance(step, int):
            assert progress.add(step) == (step not in plain)
            plain.add(step)
        else:
            lost = progress.settle_below(step[1])
            missing = set(range(1, step[1])) - plain
            assert {seq for low, high in lost for seq in range(low, high + 1)} == missing
            plain |= missing
        assert settled(progress) == plain
        assert all((seq in progress) == (seq in plain) for seq in range(1, 62))


@given(st.sets(SEQS))
def test_ranges_are_canonical(seqs: set[int]) -> None:
    progress = Progress(1)
    for seq in seqs:
        progress.add(seq)
    last = progress.upto
    for low, high in progress.beyond:
        assert last + 1 < low <= high
        last = high
    highs = [progress.upto, *[high for _, high in progress.beyond]]
    lows = [low for low, _ in progress.beyond]
    assert progress.gaps(99) == [(high + 1, low - 1) for high, low in zip(highs, lows, strict=False)]
