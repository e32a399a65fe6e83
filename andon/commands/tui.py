"""`andon tui`: the operator's console."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from andon.session import data_dir, key_of

EXAMPLES = {
    "tui": """\
  andon tui                                     the core of the data folder
  andon tui --attach tcp://10.0.0.5:7702 --key desk
  andon tui --view                              look, but do not touch"""
}


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon tui`."""
    parser.add_argument("--attach", action="append", default=[], metavar="NAME|ENDPOINT",
                        help="a core elsewhere; repeatable")  # fmt: skip
    parser.add_argument("--key", metavar="NAME", help="key pair to identify with (see andon keys new)")
    parser.add_argument("--view", action="store_true", help="no commands but stopping")


def run(args: Namespace) -> int:
    """Run the console until the operator leaves it; the core does not notice."""
    from tui.run import run as console

    return console(args.attach, data_dir(args), args.view, key=key_of(args))
