"""What actions do: the only place where a key or a word becomes a command or a change of the screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui import actions
from tui.actions import Action
from tui.control import LEVELS
from tui.guard import Guard
from tui.model import derive
from tui.scene import Scene
from tui.widgets.codeinput import Question
from tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from tui.app import Console

SHELVE_MINUTES_MAX = 60


class Deeds:
    """Bound to one console. Words that fail say why in the footer; nothing here raises."""

    def __init__(self, app: Console) -> None:
        self.app = app
        self.make_guard: Callable[[str], Guard] = Guard

    # keys

    def do(self, action: Action) -> None:
        """An action by key, on what is under the cursor."""
        name = action.id
        if name.startswith("goto:"):
            self.app.goto(name[5:])
        elif name in ("down", "up", "top", "bottom", "page_down", "page_up"):
            if self.app.page.grid is not None:
                self.app.page.grid.move(name)
        else:
            self._special(name)

    def _special(self, name: str) -> None:
        simple: dict[str, Callable[[], None]] = {
            "filter": self._filter,
            "sort": self._sort,
            "copy": self._copy,
            "back": lambda: self.app.goto("1" if self.app.page_number == "0" else self.app.previous),
            "last": lambda: self.app.goto(self.app.previous),
            "command": lambda: self.app.open_prompt(Prompt(":", self.run)),
            "quit": self.app.exit,
            "ack": lambda: self._ack(self._selected()),
            "ack_all": self._ack_all,
            "shelve": self._shelve_prompt,
            "rearm": lambda: self._rearm(self._latched_choice(), ""),
            "start": lambda: self._start(""),
            "halt_new": lambda: self._kill("reduce", "all", ""),
            "cancel_all": lambda: self._kill("halt", "all", ""),
            "flatten": lambda: self._kill("flatten", "all", ""),
        }
        simple[name]()

    def _selected(self) -> str:
        grid = self.app.page.grid
        return grid.selected if grid is not None else ""

    def _filter(self) -> None:
        grid = self.app.page.grid
        if grid is not None:
            self.app.open_prompt(Prompt("/", grid.filter, text=grid.words, live=grid.filter))

    def _sort(self) -> None:
        if self.app.page.grid is not None:
            self.app.page.grid.next_sort()

    def _copy(self) -> None:
        grid = self.app.page.grid
        if grid is not None and grid.selected:
            self.app.copy_to_clipboard(grid.text_of(grid.cursor_y).strip("│║╎ "))
            self.app.say("row copied (OSC 52)")

    # words

    def run(self, text: str) -> None:
        """A ``:`` line."""
        word, _, rest = text.partition(" ")
        if word in ("goto", "go"):
            word, rest = rest.strip(), ""
        action = actions.command(actions.PAGES.get(word, word), self.app.seat.view_only)
        if not word:
            return
        if action is None:
            self.app.say(f"no command :{word}{' for [VIEW]' if actions.command(word) else ''}; ? lists them")
            return
        self._word(action, rest.strip())

    def _word(self, action: Action, rest: str) -> None:
        first, _, more = rest.partition(" ")
        words: dict[str, Callable[[], None]] = {
            "kill": lambda: self._kill_words(rest),
            "halt_new": lambda: self._kill("reduce", "all", rest),
            "cancel_all": lambda: self._kill("halt", "all", rest),
            "flatten": lambda: self._kill("flatten", "all", rest),
            "stop": lambda: self._stop(rest),
            "start": lambda: self._start(rest),
            "rearm": lambda: self._rearm(first, more),
            "ack": lambda: self._ack_all() if first == "all" else self._ack(first),
            "shelve": lambda: self._shelve(rest),
        }
        words.get(action.id, lambda: self.do(action))()

    def _kill_words(self, rest: str) -> None:
        """``[LEVEL] [SCOPE] [REASON]`` in the words of ``andon kill``."""
        words = rest.split()
        level = words.pop(0) if words and words[0] in LEVELS else "halt"
        scoped = words and (words[0] == "all" or words[0].startswith(("strategy:", "venue:", "symbol:")))
        scope = words.pop(0) if scoped else "all"
        self._kill(level, scope, " ".join(words))

    # commands

    def _kill(self, level: str, scope: str, reason: str) -> None:
        app = self.app
        if level in ("reduce", "halt"):
            app.control.kill(level, scope, reason, app.moment())
            app.goto("0")
            return
        if app.seat.view_only:
            app.say(f"kill {level} needs control; this console is [VIEW]")
            return

        def facts(scene: Scene) -> list[str]:
            positions, orders = len(derive.open_positions(scene.view)), len(derive.open_orders(scene.view))
            ends = " and stays shut down" if level == "shutdown" else ""
            return [
                f"closes {positions} positions at market, scope {scope}{ends}",
                f"cancels {orders} working orders first and waits for the venue",
                "does not estimate slippage; does not re-open anything later",
                *(
                    ["inputs are STALE: these counts are the last known"]
                    if scene.stale or not scene.up
                    else []
                ),
            ]

        self._ask(f"KILL {level.upper()}", facts, lambda: self._send_kill(level, scope, reason))

    def _send_kill(self, level: str, scope: str, reason: str) -> None:
        self.app.control.kill(level, scope, reason, self.app.moment())
        self.app.goto("0")

    def _stop(self, reason: str) -> None:
        self.app.control.stop(reason, self.app.moment())
        self.app.say("stop sent; what comes of it is on page 0")

    def _latched_choice(self) -> str:
        """The row under the cursor when it is latched; else the only latched one; else all."""
        latched = self.app.view.state.latched if self.app.view.state is not None else []
        selected = self._selected()
        for name in latched:
            if selected and name.partition("@")[0] == selected:  # the core may name its scope after an @
                return name
        return latched[0] if len(latched) == 1 else "all" if latched else ""

    def _rearm(self, switch: str, reason: str) -> None:
        if not switch:
            self.app.say("nothing is latched")
            return

        def facts(scene: Scene) -> list[str]:
            latched = scene.view.state.latched if scene.view.state is not None else []
            return [
                f"re-arms {switch}; latched now: {', '.join(latched) or 'nothing'}",
                "leads to READY: trading stays stopped until start…",
                "the core refuses while the condition still holds",
            ]

        def then() -> None:
            if reason:
                self.app.control.rearm(switch, reason, self.app.moment())
            else:
                self.app.open_prompt(Prompt("reason for re-arming: ", send, dropped=self._dropped))

        def send(text: str) -> None:
            self.app.control.rearm(switch, text, self.app.moment())
            self.app.say(f"rearm {switch} sent; what comes of it is on page 0")

        self._ask(f"RE-ARM {switch}", facts, then)

    def _dropped(self) -> None:
        self.app.say("cancelled; nothing was sent")

    def _start(self, reason: str) -> None:
        def facts(scene: Scene) -> list[str]:
            latched = scene.view.state.latched if scene.view.state is not None else []
            return [
                "strategies may send orders that add risk again",
                f"still latched: {', '.join(latched)}" if latched else "nothing is latched",
            ]

        def send() -> None:
            self.app.control.start(reason, self.app.moment())
            self.app.say("start sent; what comes of it is on page 0")

        self._ask("START TRADING", facts, send)

    # alarms

    def _ack(self, alert_id: str) -> None:
        if not alert_id:
            self.app.say("no alarm there")
            return
        self.app.control.acknowledge(alert_id, self.app.moment())

    def _ack_all(self) -> None:
        moment, view = self.app.moment(), self.app.view
        ids = [a.id for a in (*view.alerts.values(), *view.local.values()) if a.status == "UNACK"]
        for alert_id in ids:
            self.app.control.acknowledge(alert_id, moment)
        self.app.say(f"acknowledged {len(ids)}: shown when the core says so")

    def _shelve_prompt(self) -> None:
        if self._selected():
            self.app.open_prompt(
                Prompt(":", self.run, text=f"shelve {self._selected()} {SHELVE_MINUTES_MAX} ")
            )

    def _shelve(self, rest: str) -> None:
        alert_id, minutes, reason = (*rest.split(" ", 2), "", "", "")[:3]
        alert = self.app.view.alerts.get(alert_id)
        if alert is None:
            self.app.say(f"no alarm {alert_id!r}; write: shelve ID MINUTES REASON")
        elif alert.priority == "high":
            self.app.say("a high alarm cannot be shelved")
        elif not minutes.isdigit() or not 1 <= int(minutes) <= SHELVE_MINUTES_MAX or not reason.strip():
            self.app.say(f"write: shelve {alert_id} MINUTES REASON (1 to {SHELVE_MINUTES_MAX} minutes)")
        else:
            self.app.control.shelve(alert_id, int(minutes), reason.strip(), self.app.moment())

    # the typed code

    def _ask(self, title: str, facts: Callable[[Scene], list[str]], done: Callable[[], None]) -> None:
        app = self.app
        guard = self.make_guard(app.scene().env)
        app.code.ask(Question(title, facts, done), guard)
        app.call_after_refresh(self._painted, guard)

    def _painted(self, guard: Guard) -> None:
        self.app.paint()
        guard.painted_s = self.app.clock.mono_ns() / 1e9

    def code_key(self, key: str, character: str | None, at_s: float) -> None:
        guard, question = self.app.code.guard, self.app.code.question
        if guard is None or question is None:
            return
        if character is not None and character in actions.PAGES:
            self.app.code.close()
            self.app.goto(character)
            return
        verdict = guard.key(key, character, at_s)
        if verdict:
            self.app.code.close()
        if verdict == "confirm":
            question.done()
        elif verdict == "cancel":
            self.app.say("cancelled; nothing was sent")

    def expire(self, scene: Scene) -> None:
        """A code nobody finished in time is gone."""
        guard = self.app.code.guard
        if guard is not None and guard.left_s(scene.moment.mono_ns / 1e9) <= 0:
            self.app.code.close()
            self.app.say("code expired; nothing was sent")
