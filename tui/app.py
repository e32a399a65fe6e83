"""The console itself, wiring only. Shown: `lines`. Known: `model`. Possible: `actions`. Done: `deeds`.

There are no bindings: every key goes through one registry (`actions.find`), so footer, help and behaviour cannot
drift apart, and nothing Textual binds by itself can surprise an operator.
"""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.app import App, ComposeResult
from textual.containers import Container
from textual.driver import Driver

from bus.linking import Link
from tui import actions
from tui.clock import Clock, SystemClock
from tui.control import Control
from tui.deeds import Deeds
from tui.driver import CHORD_KEY, PanicDriver
from tui.model.view import Moment, View
from tui.panic import Chord, Cord
from tui.pump import PaintPump
from tui.scene import Scene
from tui.screens import PAGES, Page
from tui.style import CSS
from tui.theme import BACKGROUND
from tui.widgets.bars import Annunciator, Banner, Footer
from tui.widgets.codeinput import CodeInput
from tui.widgets.painted import Painted
from tui.widgets.prompt import Prompt
from tui.widgets.small import Small

SIZE_MIN = (80, 24)


@dataclass(frozen=True, slots=True)
class Seat:
    """Who sits here and what they may do."""

    operator: str = "?"
    view_only: bool = False
    instead: str = 'andon kill --reason "…"'
    ascii: bool = False
    blink: bool = True


class Console(App[None], inherit_bindings=False):
    """One core on one terminal."""

    CSS = CSS
    TITLE = "Andon"
    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    HORIZONTAL_BREAKPOINTS = [(0, "-s"), (100, "-m")]

    def __init__(
        self,
        link: Link,
        seat: Seat | None = None,
        *,
        clock: Clock | None = None,
        cord: Cord | None = None,
        driver_class: type[Driver] | None = None,
    ) -> None:
        super().__init__(driver_class=driver_class)
        self.animation_level = "none"
        self.link = link
        self.seat = seat or Seat()
        self.clock = clock or SystemClock()
        self.cord = cord
        self.chord = Chord()  # for terminals whose driver does not catch it (tests, Windows)
        self.view = View()
        self.control = Control(link, self.view)
        self.deeds = Deeds(self)
        self.pump = PaintPump(self)
        self.page_number = "1"
        self.previous = "1"
        self.owed_repaint = False
        self._pages: dict[str, Page] = {}
        self._annunciator = Annunciator(id="annunciator")
        self._banner = Banner(id="banner")
        self._deck = Container(id="deck")
        self.footer = Footer(id="footer")
        self.code = CodeInput(id="code")
        self._small = Small(id="small")
        Painted.ascii = self.seat.ascii

    # life

    def compose(self) -> ComposeResult:
        yield self._annunciator
        yield self._banner
        with self._deck:
            yield self._page("1")
        yield self.footer
        yield self.code
        yield self._small

    def on_mount(self) -> None:
        self.screen.styles.background = BACKGROUND
        self.pump.fold()
        scene = self.scene()
        for painted in (self._annunciator, self._banner, self.footer, self._small):
            painted.scene = scene
        self._pages["1"].set_scene(scene)
        self.pump.start()

    @property
    def instead(self) -> str:
        return self.seat.instead

    def moment(self) -> Moment:
        return Moment(self.clock.wall_ns(), self.clock.mono_ns(), self.link.stats())

    def scene(self) -> Scene:
        """Everything painted until the next one is judged at this instant."""
        moment, seat = self.moment(), self.seat
        blink = not seat.blink or moment.mono_ns // 1_000_000_000 % 2 == 0  # 0.5 Hz
        return Scene(self.view, moment, seat.operator, seat.view_only, seat.instead, self.cord, blink)

    # painting

    def paint(self) -> None:
        """Bring every visible widget up to date."""
        scene = self.scene()
        self._annunciator.pull(scene)
        self._banner.pull(scene)
        self.page.pull(scene)
        self.footer.page = self.page_number
        self.footer.pull(scene)
        self._small.pull(scene)
        if self.code.open:
            self.deeds.expire(scene)
            self.code.pull(scene)

    def backlog(self) -> int:
        """Writes the terminal still has to take; 0 where that is not known."""
        return self._driver.backlog() if isinstance(self._driver, PanicDriver) else 0

    def take_dropped(self) -> int:
        return self._driver.take_dropped() if isinstance(self._driver, PanicDriver) else 0

    def hang_up(self) -> None:
        """The terminal is gone: leave as soon as a pull that is on its way has been answered."""
        if isinstance(self._driver, PanicDriver):
            self._driver.hang_up()
        else:
            self.exit()

    def on_resize(self, event: events.Resize) -> None:
        self._small.display = event.size.width < SIZE_MIN[0] or event.size.height < SIZE_MIN[1]

    # pages

    @property
    def page(self) -> Page:
        return self._pages[self.page_number]

    def _page(self, number: str) -> Page:
        if number not in self._pages:
            self._pages[number] = PAGES[number]()
        return self._pages[number]

    def goto(self, number: str) -> None:
        """Show a page, made when first wanted; a page keeps its cursor, filter and order."""
        if number == self.page_number:
            return
        page = self._page(number)
        page.set_scene(self.scene())
        if not page.is_attached:
            self._deck.mount(page)
        self.page.display = False
        page.display = True
        self.previous, self.page_number = self.page_number, number

    # keys

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if event.key == CHORD_KEY:
            self._chord_key(event)
        elif self.code.open:
            self.deeds.code_key(event.key, event.character, self.key_s(event))
        elif self.footer.prompt is not None:
            self._prompt_key(event)
        else:
            action = actions.find(self.page_number, event.key, self.seat.view_only)
            if action is not None:
                self.deeds.do(action)
        self.paint()

    def _chord_key(self, event: events.Key) -> None:
        """Once: the panel. Twice: the cord, here only when the driver has not pulled it already."""
        self.code.close()
        self.footer.prompt = None
        self.goto("0")
        if (
            not isinstance(self._driver, PanicDriver)
            and self.chord.press(self.key_s(event))
            and self.cord is not None
        ):
            self.cord.pull()

    def key_s(self, event: events.Key) -> float:
        """When the key was read from the keyboard, s of the monotonic clock; handling it may come much later."""
        return event.time

    def _prompt_key(self, event: events.Key) -> None:
        prompt = self.footer.prompt
        if prompt is not None and prompt.key(event.key, event.character) and self.footer.prompt is prompt:
            self.footer.prompt = None

    def on_paste(self, event: events.Paste) -> None:
        """Text goes into a line being typed; into a code dialog nothing does."""
        event.stop()
        if self.footer.prompt is not None and not self.code.open:
            self.footer.prompt.paste(event.text)
            self.paint()

    def open_prompt(self, prompt: Prompt) -> None:
        self.footer.prompt = prompt

    def say(self, text: str) -> None:
        """A passing word in the footer; never the only copy of anything."""
        self.footer.say(text, self.clock.mono_ns())

    async def action_quit(self) -> None:
        self.exit()
