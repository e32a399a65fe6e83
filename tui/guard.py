"""The typed one-time code in front of what cannot be undone.

Rules, each tested: nothing typed before the dialog could be read counts (keys carry the time they were *read from
the keyboard*, so a queue of type-ahead is old however late it is handled); the focus is on Cancel until the whole
code stands; a paste is ignored; the code lives ten seconds; a wrong one is replaced by another.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

ALPHABET = "ACDEFHJKMNPRTUVWXY"  # no digits (they change pages), nothing that looks like something else
GUARD_S = 0.5
LIFE_S = 10.0
TRIES = 3


def new_code(env: str) -> str:
    """Four letters; in LIVE the word LIVE must be typed as well."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(4))
    return f"LIVE{letters}" if env == "LIVE" else letters


@dataclass(slots=True)
class Guard:
    """``key`` returns "" (go on), "cancel" or "confirm". Times are seconds of the monotonic clock."""

    env: str
    make: Callable[[str], str] = new_code
    code: str = ""
    typed: str = ""
    painted_s: float | None = None  # when the dialog was first on the screen
    wrong: int = 0
    shown_codes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._renew()

    def _renew(self) -> None:
        self.code, self.typed = self.make(self.env), ""
        self.shown_codes.append(self.code)

    def left_s(self, now_s: float) -> float:
        return LIFE_S if self.painted_s is None else max(0.0, LIFE_S - (now_s - self.painted_s))

    @property
    def complete(self) -> bool:
        return self.typed == self.code

    def key(self, key: str, character: str | None, at_s: float) -> str:
        """``at_s``: when the key was read, not when it is handled."""
        if self.painted_s is None or at_s - self.painted_s < GUARD_S:
            return "cancel" if key == "escape" else ""
        if key == "escape" or at_s - self.painted_s > LIFE_S:
            return "cancel"
        if key == "enter":
            return "confirm" if self.complete else "cancel"
        if key == "backspace":
            self.typed = self.typed[:-1]
        elif character and character.isalpha():
            return self._letter(character.upper())
        return ""

    def _letter(self, letter: str) -> str:
        self.typed = (self.typed + letter)[: len(self.code)]
        if len(self.typed) < len(self.code) or self.complete:
            return ""
        self.wrong += 1
        if self.wrong >= TRIES:
            return "cancel"
        self._renew()
        return ""
