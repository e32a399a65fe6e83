"""The dialog around a `Guard`: what will happen, where, to how much, and what will not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui.guard import GUARD_S, Guard
from tui.scene import Line, Scene
from tui.widgets.frame import framed
from tui.widgets.painted import Painted


@dataclass(slots=True)
class Question:
    """What is asked; ``done`` runs once, after the code."""

    title: str
    facts: Callable[[Scene], list[str]]
    done: Callable[[], None]


class CodeInput(Painted):
    """Hidden until ``ask``. Keys reach it from the app while it is open."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.display = False
        self.question: Question | None = None
        self.guard: Guard | None = None

    @property
    def open(self) -> bool:
        return self.guard is not None

    def ask(self, question: Question, guard: Guard) -> None:
        self.question, self.guard = question, guard
        self.display = True

    def close(self) -> None:
        self.question = self.guard = None
        self.display = False

    def lines(self, scene: Scene, width: int, height: int) -> list[Line]:
        question, guard = self.question, self.guard
        if question is None or guard is None:
            return []
        target = f"{scene.env or '?'}  account {scene.account}  state {scene.word}"
        body: list[Line] = [
            (("  target   ", "dim"), (target, "bold")),
            *(((f"  {fact}", "text"),) for fact in question.facts(scene)),
        ]
        body += [()] * max(0, height - 2 - len(body) - 4) + self._code_lines(guard, scene)
        return framed(((question.title, "title"),), body, width, height, scene.env, "bold")

    def _code_lines(self, guard: Guard, scene: Scene) -> list[Line]:
        now_s = scene.moment.mono_ns / 1e9
        waiting = guard.painted_s is None or now_s - guard.painted_s < GUARD_S
        blanks = "_" * (len(guard.code) - len(guard.typed))
        again = "  wrong, new code" if guard.wrong and not guard.typed else ""
        expires = "wait" if waiting else f"expires in {guard.left_s(now_s):.0f} s"
        cancel = ("[ Cancel ]", "text" if guard.complete else "chip")
        confirm = ("[ Confirm ]", "running" if guard.complete else "dim")
        return [
            (("  type     ", "dim"), (f" {guard.code} ", "code"), (f"   {guard.typed}{blanks}", "bold"),
             (f"   {expires}{again}", "old" if again else "dim")),
            (),
            (("           ", "text"), cancel, ("   ", "text"), confirm,
             ("   Enter = the marked one, Esc = cancel", "dim")),
        ]  # fmt: skip
