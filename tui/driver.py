"""The terminal, made safe in three ways Textual's own driver is not.

1. *The cord is caught here*, in the thread that reads the keyboard, before the event loop sees the key: a loop that
   hangs cannot hide it.
2. *A write never blocks.* Textual queues thirty writes and then waits for the terminal; over a stalled SSH session
   that froze the whole console, keys included. Here a frame that finds the queue filling up is dropped, and the
   screen is repainted whole once the queue has drained.
3. *A terminal that is gone ends the console.* End of file or EIO on stdin leaves the input loop (the base class goes
   on selecting, at 100 % of a core), asks the app to exit, and makes sure of it.
"""

from __future__ import annotations

import os
import selectors
import threading
import time
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from tui.panic import Chord, Cord

if TYPE_CHECKING:
    from textual.driver import Driver

CHORD_KEY = "ctrl+backslash"
DROP_AT = 20  # of the 30 writes Textual queues
LEAVE_S = 5.0  # an app that was asked to exit and has not is ended
HUNG_UP = 129


class PanicDriver(LinuxDriver):
    """Use `driver_for` to get one with its cord."""

    cord: ClassVar[Cord | None] = None
    chord: ClassVar[Chord] = Chord()
    dropped = 0
    gone = False
    _leaving = False

    def process_message(self, message: Message) -> None:
        if isinstance(message, events.Key) and message.key == CHORD_KEY:
            if self.chord.press(time.monotonic()) and self.cord is not None:
                self.cord.pull()
        super().process_message(message)

    def backlog(self) -> int:
        """Writes the terminal has not taken yet."""
        queue = getattr(self._writer_thread, "_queue", None)
        return queue.qsize() if queue is not None else 0

    def write(self, data: str) -> None:
        if self.gone:
            return
        if not self._leaving and self.backlog() >= DROP_AT:
            self.dropped += 1
            return
        super().write(data)

    def take_dropped(self) -> int:
        """How many writes were lost since the last call; the screen must be repainted if any."""
        dropped, self.dropped = self.dropped, 0
        return dropped

    def stop_application_mode(self) -> None:
        self._leaving = self.backlog() < DROP_AT  # a terminal that does not listen is not waited for
        super().stop_application_mode()

    def close(self) -> None:
        if not self.gone and self.backlog() < DROP_AT:
            super().close()

    def run_input_thread(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            parser = XTermParser(self._debug)
            decode = getincrementaldecoder("utf-8")("replace").decode
            while not self.exit_event.is_set():
                if selector.select(0.1):
                    data = self._read()
                    if not data:
                        self.hang_up()
                        return
                    for event in parser.feed(decode(data)):
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, 4096)
        except OSError:  # EIO: the other end of the terminal is closed
            return b""

    def hang_up(self) -> None:
        """The terminal is gone. Any thread; returns at once."""
        if self.gone:
            return
        self.gone = True
        threading.Thread(target=self._leave, name="leave", daemon=True).start()

    def _leave(self) -> None:
        """Let a pull that is on its way be answered, then exit, then make sure."""
        until = time.monotonic() + LEAVE_S
        while self.cord is not None and self.cord.unanswered() and time.monotonic() < until:
            time.sleep(0.02)
        self._loop.call_soon_threadsafe(self._app.exit, None, HUNG_UP)
        time.sleep(LEAVE_S)
        os._exit(HUNG_UP)


def driver_for(cord: Cord) -> type[Driver]:
    """A driver class whose chord pulls this cord."""
    return type("ConsoleDriver", (PanicDriver,), {"cord": cord, "chord": Chord()})
