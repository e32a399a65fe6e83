"""The demo without a terminal: watch a core, pull its cord, look again, and report on one screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from andon import cord
from andon.cord import Pull
from andon.output import clean, number, percent, quantity
from andon.picture import picture

if TYPE_CHECKING:
    from bus.client import Client

CORD_AT = 0.6  # of the time: enough before it to hold something, enough after it to see that it stays stopped
LOOK_EVERY_S = 1.0
TABLES_S = 0.3  # positions and orders go out ten times a second; the kill's last word is quicker
TELL_EVERY_S = 10.0
CORD_S_MAX = 30.0
_SWITCHES = ("drawdown", "position_loss", "daily_loss", "emergency", "leverage", "margin")
Look = dict[str, Any]


@dataclass(slots=True)
class Story:
    """What was seen."""

    seconds: float
    before: Look = field(default_factory=dict)
    after: Look = field(default_factory=dict)
    steps: list[tuple[float, str]] = field(default_factory=list)  # ms since the cord, phase with counts
    pulled: Pull = field(default_factory=Pull)
    wrong: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        steps = [{"ms": ms, "phase": phase} for ms, phase in self.steps]
        return {
            "ok": not self.wrong,
            "wrong": self.wrong,
            "seconds": self.seconds,
            "before": self.before,
            "after": self.after,
            "kill": {**self.pulled.as_dict(), "steps": steps},
        }


def watch_and_pull(client: Client, seconds: float, tell: Callable[[str], None]) -> Story:
    """Follow the core for ``seconds``, pulling the cord (flatten) on the way; judge what came of it."""
    story = Story(seconds)
    begun = time.monotonic()
    _look_until(client, begun + seconds * CORD_AT, begun, tell)
    story.before = _look(client)
    tell("pulling the cord: kill --level flatten")
    story.pulled = cord.pull(
        client,
        {"scope": "all", "level": "flatten"},
        "demo: the cord",
        CORD_S_MAX,
        lambda pull: _step(story, pull),
    )
    time.sleep(TABLES_S)
    _look_until(client, begun + seconds, begun, tell)
    story.after = _look(client)
    story.wrong = _judge(story)
    return story


def _look(client: Client) -> Look:
    snapshot = client.snapshot()
    return {**picture(snapshot), "fills": snapshot.seq.get("fill", 0)}


def _look_until(client: Client, until: float, begun: float, tell: Callable[[str], None]) -> None:
    told = float("-inf")
    while (left := until - time.monotonic()) > 0:
        if time.monotonic() - told >= TELL_EVERY_S:
            told = time.monotonic()
            tell(f"{told - begun:4.0f} s  {_brief(_look(client))}")
        time.sleep(min(left, LOOK_EVERY_S))


def _brief(look: Look) -> str:
    return clean(
        f"{look['state']}  equity {number(look['equity'])}  positions {len(_held(look))}"
        f"  working orders {look['working_orders']}  fills {look['fills']}"
    )


def _step(story: Story, pull: Pull) -> None:
    phase = pull.phase_line()
    if not story.steps or story.steps[-1][1] != phase:
        story.steps.append((pull.elapsed_ms, phase))


def _held(look: Look) -> list[Look]:
    return [row for row in look["positions"] if row["qty"]]


def _judge(story: Story) -> list[str]:
    """What is not as it must be; empty = the demo showed what it promises."""
    before, after = story.before, story.after
    checks = {
        "nothing was held or working before the cord": _held(before) or before["working_orders"],
        "nothing was traded": before["fills"],
        f"the kill was not confirmed ({story.pulled.status} {story.pulled.error})": story.pulled.code() == 0,
        "positions are still open": not _held(after),
        "orders are still working": after["working_orders"] == 0,
        f"the core is {after['state']} after the cord": after["state"]
        in {"HALTED", "FLATTENING", "SHUTDOWN"},
    }
    return [text for text, well in checks.items() if not well]


def report(story: Story) -> list[str]:
    """The story on one screen of 80 columns."""
    before, after = story.before, story.after
    lines = [
        f"Andon demo: {story.seconds:.0f} s of the simulated market, account {before['account']} ({before['env']})",
        "",
        f"{'':16}{'before the cord':>20}{'at the end':>20}",
    ]
    for name, show in _COMPARED.items():
        lines.append(f"{name:16}{show(before):>20}{show(after):>20}")
    lines += ["", _fitting("held before:  ", [_holding(row) for row in _held(before)])]
    lines += ["distance to limits before the cord (100 % = far away):", *_distances(before)]
    lines += ["", "the cord (flatten):"]
    lines += [f"{ms:9.0f} ms  {phase}" for ms, phase in _few(story.steps)]
    lines += [f"  {story.pulled.result_line()}"]
    if story.wrong:
        lines.append(f"NOT as expected: {'; '.join(story.wrong)}")
    else:
        lines.append("as expected: traded, stopped on command, flat and latched, all confirmed")
    lines.append("next: `andon demo` in a terminal shows the console; `andon core --profile paper`")
    lines.append("      with `andon tui`, `andon status`, `andon kill --reason why` beside it")
    return [clean(line) for line in lines]


def _fitting(head: str, words: list[str]) -> str:
    """As many of ``words`` as fit on one line of 80 columns."""
    line = head + (words[0] if words else "nothing")
    for word in words[1:]:
        if len(line) + len(word) > 76:
            return f"{line}, …"
        line += f", {word}"
    return line


def _holding(row: Look) -> str:
    return f"{row['symbol']} {quantity(row['qty'])}"


def _distances(look: Look) -> list[str]:
    rows = ((name, look["switches"].get(name)) for name in _SWITCHES)
    words = [f"{name} {percent(row['headroom'], 0)}" for name, row in rows if row]
    return [f"  {'  '.join(words[n : n + 3])}" for n in range(0, len(words), 3)]


def _few(steps: list[tuple[float, str]], most: int = 4) -> list[tuple[float, str]]:
    """First and last steps: a screen is a screen."""
    return steps if len(steps) <= most else [*steps[: most // 2], *steps[-(most - most // 2) :]]


_COMPARED: dict[str, Callable[[Look], str]] = {
    "state": lambda look: str(look["state"]),
    "equity": lambda look: number(look["equity"]),
    "open positions": lambda look: str(len(_held(look))),
    "working orders": lambda look: str(look["working_orders"]),
    "fills": lambda look: str(look["fills"]),
}
