"""One line of input: ``:`` commands, ``/`` filters, reasons. Plain state, painted by the footer.

A paste puts its first line into the input and never sends it: only a key does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui.scene import Line, fit

LENGTH_MAX = 300


@dataclass(slots=True)
class Prompt:
    """``done(text)`` is called with Enter; Escape calls nothing."""

    mark: str
    done: Callable[[str], None]
    text: str = ""
    dropped: Callable[[], None] | None = None  # told when it is left without Enter
    live: Callable[[str], None] | None = None  # told of every change, for filters

    def key(self, key: str, character: str | None) -> bool:
        """Take a key; True when the prompt is finished."""
        if key == "escape" or (key == "backspace" and not self.text):
            if self.dropped is not None:
                self.dropped()
            return True
        if key == "enter":
            self.done(self.text.strip())
            return True
        if key == "backspace":
            self._set(self.text[:-1])
        elif key == "ctrl+u":
            self._set("")
        elif character is not None and character.isprintable():
            self._set(self.text + character)
        return False

    def paste(self, text: str) -> None:
        self._set(self.text + "".join(c for c in text.partition("\n")[0] if c.isprintable()))

    def _set(self, text: str) -> None:
        self.text = text[:LENGTH_MAX]
        if self.live is not None:
            self.live(self.text)

    def line(self, width: int) -> Line:
        room = max(1, width - len(self.mark) - 4)
        return fit(((f" {self.mark}", "key"), (self.text[-room:], "bold"), ("█", "text")), width)
