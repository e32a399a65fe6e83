"""`andon demo`: a core on the simulated market, and the console in front of it (or a report, without a terminal)."""

from __future__ import annotations

import os
import shutil
import signal
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from types import FrameType

from andon import output
from andon.child import CoreChild
from andon.errors import DONE, FAILED, CliError, UsageError
from andon.parser import seconds

EXAMPLES = {
    "demo": """\
  andon demo                        in a terminal: the console; the core stops when you leave it
  DEMO_SECONDS=20 andon demo </dev/null      headless: 20 seconds, then a report on one screen"""
}
SECONDS = 60.0
SECONDS_MIN = 5.0  # in less, nothing has traded yet
GRACE_S = 120.0  # the core of a headless demo ends by itself when we have died
MARKET = {"ANDON_MARKET__TICK_RATE_PER_S": "400"}  # lively enough that something happens every few seconds


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon demo`."""
    parser.add_argument(
        "--seconds",
        type=seconds,
        metavar="S",
        help=f"how long without a terminal (default $DEMO_SECONDS, else {SECONDS:.0f})",
    )
    parser.add_argument("--headless", action="store_true", help="the report even in a terminal")


def run(args: Namespace) -> int:
    """Exit 0 only if everything went as it must."""
    lasting = _seconds(args)
    with _folder(args.data_dir) as folder:
        if args.headless or args.json or not output.may_ask():
            return _headless(args, folder, lasting)
        return _console(args, folder)


def _headless(args: Namespace, folder: Path, lasting: float) -> int:
    from andon.headless import report, watch_and_pull
    from bus.client import Client

    output.complain("demo: starting a core (a first start compiles its kernels, which can take a minute)")
    with _core(args, folder, ["--headless-seconds", str(lasting + GRACE_S)]) as child:
        child.wait_ready()
        with Client.attach(data_dir=folder) as client:
            story = watch_and_pull(client, lasting, lambda text: output.complain(f"demo: {text}"))
    if child.code != DONE:
        story.wrong.append(f"the core ended with exit code {child.code}: {child.words}")
    if args.json:
        output.json_line(story.as_dict())
    else:
        for text in report(story):
            output.line(text)
    return FAILED if story.wrong else DONE


def _console(args: Namespace, folder: Path) -> int:
    from tui.run import run as console

    output.complain("demo: starting a core (a first start compiles its kernels, which can take a minute)")
    with _core(args, folder, []) as child:
        child.wait_ready()
        code = console([], folder, view_only=False)
        output.complain("demo: stopping the core in order")
    if child.code != DONE:
        output.complain(
            f"andon demo: the core ended with exit code {child.code}: {child.words}; see andon doctor"
        )
    return code or (FAILED if child.code else DONE)


@contextmanager
def _core(args: Namespace, folder: Path, words: list[str]) -> Iterator[CoreChild]:
    config = ["--config", str(args.config.absolute())] if args.config else []
    child = CoreChild(folder, ["--profile", "paper", *config, *words], {**MARKET, **_given()})
    died = False
    try:
        with _ended_by_signals():
            yield child
    except Exception:
        died = child.process.poll() is not None
        if not died:
            raise
    finally:
        child.stop()
    if died:  # whatever the client saw is a consequence
        raise CliError(
            f"andon demo: the core ended with exit code {child.code}: {child.words}", "see andon doctor"
        )


def _given() -> dict[str, str]:
    """What the user set wins over the demo's own choice."""
    return {name: os.environ[name] for name in MARKET if name in os.environ}


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end us like Ctrl-C, so that the core is stopped in order."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    """The folder named, kept; or a temporary one, removed at the end."""
    if named is not None:
        named.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield named.absolute()
        return
    folder = Path(mkdtemp(prefix="andon-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _seconds(args: Namespace) -> float:
    if args.seconds is not None:
        lasting: float = args.seconds
    else:
        text = os.environ.get("DEMO_SECONDS", "").strip() or str(SECONDS)
        try:
            lasting = float(text)
        except ValueError:
            raise UsageError(
                f"andon demo: DEMO_SECONDS={text!r} is not a number", "DEMO_SECONDS=60"
            ) from None
    if not SECONDS_MIN <= lasting <= 86_400:
        raise UsageError(
            f"andon demo: {lasting:g} s is not from {SECONDS_MIN:.0f} to 86,400", "DEMO_SECONDS=60"
        )
    return lasting
