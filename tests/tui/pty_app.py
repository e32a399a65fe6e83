"""A console in a real terminal, for the tests that need one: ``python pty_app.py LOG ENDPOINT [block=S] [busy]``.

``block=S``: a second after the start the event loop hangs for S seconds. ``busy``: every tick repaints everything.
What the tests want to know goes to LOG, a line at a time.
"""

from __future__ import annotations

import random
import signal
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

from fake_core import FakeCore  # noqa: E402

from tui.app import Console, Seat  # noqa: E402
from tui.driver import driver_for  # noqa: E402
from tui.panic import Cord  # noqa: E402


def main() -> None:
    path, endpoint, *options = sys.argv[1:]
    log = open(path, "a", buffering=1)
    block_s = next((float(o[6:]) for o in options if o.startswith("block=")), 0.0)
    core = FakeCore().running()
    cord = Cord(endpoint, log=lambda pull: log.write(f"pull {time.monotonic():.3f} {pull.status}\n"))
    app = Console(core.link, Seat("alice"), clock=core.clock, cord=cord, driver_class=driver_for(cord))
    beat = app.pump.beat
    dice = random.Random(1)
    beats = [time.monotonic()]

    def watched() -> None:
        now = time.monotonic()
        if now - beats[-1] > 0.25:
            log.write(f"gap {now - beats[-1]:.3f}\n")
        beats.append(now)
        if "busy" in options:
            core.clock.advance(0.2)
            for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT", "AVAX/USDT"):
                core.position(symbol, dice.uniform(-9, 9), 100.0, dice.uniform(90, 110))
            core.switches()
            core.account(dice.uniform(9e5, 1.1e6))
            app.refresh()
        beat()
        if block_s and len(beats) == 10:
            block()
        if len(beats) % 10 == 2:
            log.write(
                f"beat {now:.3f} page={app.page_number} skipped={app.pump.skipped} backlog={app.backlog()}\n"
            )

    def block() -> None:
        log.write(f"blocked {time.monotonic():.3f}\n")
        time.sleep(block_s)
        log.write(f"unblocked {time.monotonic():.3f}\n")

    app.pump.beat = watched
    if "nohup" in options:  # then end of file is all there is to notice
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGHUP, lambda number, frame: app.hang_up())
    app.run()
    log.write(f"left {app.return_code}\n")


if __name__ == "__main__":
    main()
