"""Time goes forward, whatever is done to the machine's date."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.clock import JUMP_NS, Clock, SystemClock, VirtualClock

S = 1_000_000_000


class Machine:
    """A wall clock that somebody sets, and a monotonic one that nobody can."""

    def __init__(self) -> None:
        self.wall_ns, self.mono_ns = 1_700_000_000 * S, 5 * S
        self.clock = SystemClock(lambda: self.wall_ns, lambda: self.mono_ns)

    def passes(self, ns: int, jump_ns: int = 0) -> int:
        self.mono_ns += ns
        self.wall_ns += ns + jump_ns
        return self.clock.check()


def test_it_follows_the_wall_clock() -> None:
    machine = Machine()
    for _ in range(5):
        assert machine.passes(S) == 0
        assert machine.clock.now_ns() == machine.wall_ns


def test_a_sleep_is_caught_up_and_reported() -> None:
    machine = Machine()
    assert machine.passes(S, jump_ns=3600 * S) == 3600 * S
    assert machine.clock.now_ns() == machine.wall_ns
    assert machine.passes(S) == 0


def test_a_date_set_back_is_reported_and_slewed_never_followed() -> None:
    machine = Machine()
    before = machine.clock.now_ns()
    assert machine.passes(S, jump_ns=-2 * S) == -2 * S
    assert machine.clock.now_ns() >= before
    assert machine.clock.ahead_ns == pytest.approx(2 * S, rel=0.06)
    for _ in range(21):
        machine.passes(S)
    assert machine.clock.now_ns() == machine.wall_ns
    assert machine.clock.ahead_ns == 0


def test_small_corrections_are_not_jumps() -> None:
    machine = Machine()
    assert machine.passes(S, jump_ns=JUMP_NS - 1) == 0
    assert machine.passes(S, jump_ns=-JUMP_NS) == -JUMP_NS


steps = st.lists(
    st.tuples(st.integers(0, 10 * S), st.integers(-100 * S, 100 * S), st.booleans()), max_size=40
)


@given(steps=steps)
def test_it_never_goes_back(steps: list[tuple[int, int, bool]]) -> None:
    machine = Machine()
    last = machine.clock.now_ns()
    for ns, jump_ns, check in steps:
        machine.mono_ns += ns
        machine.wall_ns += ns + jump_ns
        if check:
            machine.clock.check()
        now = machine.clock.now_ns()
        assert last <= now <= last + ns + 100 * S * len(steps)
        last = now


def test_the_real_one_tells_utc() -> None:
    import time

    clock: Clock = SystemClock()
    assert abs(clock.now_ns() - time.time_ns()) < 60 * S


def test_virtual_time_is_what_it_is_told() -> None:
    clock = VirtualClock(100)
    assert clock.advance(5) == clock.now_ns() == 105
    assert clock.set(105) == 105
    with pytest.raises(ValueError, match="cannot go back"):
        clock.set(104)
    assert clock.now_ns() == 105
