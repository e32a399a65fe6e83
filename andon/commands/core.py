"""`andon core`: the core in the foreground; SIGTERM or Ctrl-C shuts it down in order."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from andon.errors import UsageError
from andon.parser import natural, seconds, speed
from andon.session import data_dir, settings

EXAMPLES = {
    "core": """\
  andon core --profile paper                         embedded market, two worked strategies
  andon core --replay trades.csv.gz --speed 10       a tape as the venue, ten times as fast as it was
  andon core --profile paper --headless-seconds 60   for a minute, then shut down in order
  it prints `ready state=… command=… epoch=…` when consoles can attach"""
}


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon core`."""
    parser.add_argument("--profile", default="paper", metavar="NAME", help="paper (default) or live")
    parser.add_argument(
        "--venue", action="append", default=[], metavar="NAME", help="trade on this venue; repeatable"
    )
    parser.add_argument("--replay", type=Path, metavar="FILE", help="a tape as the market")
    parser.add_argument("--speed", type=speed, default=1.0, metavar="N|max", help="of the tape (default 1)")
    parser.add_argument("--symbol", metavar="SYM", help="names a tape without a symbol column")
    parser.add_argument(
        "--skip-bad", action="store_true", help="count malformed tape rows instead of stopping"
    )
    parser.add_argument(
        "--headless-seconds", type=seconds, default=0.0, metavar="N", help="then shut down in order"
    )
    parser.add_argument(
        "--seed", type=natural, default=0, metavar="N", help="of the embedded market (0 = settings)"
    )
    parser.add_argument("--quiet", action="store_true", help="do not print the ready line")


def run(args: Namespace) -> int:
    """Run until stopped; the core prints its own ready line."""
    if args.replay is None and (args.speed != 1.0 or args.symbol or args.skip_bad):
        raise UsageError("andon core: --speed, --symbol and --skip-bad belong to a tape", "add --replay FILE")
    if args.replay is not None and not args.replay.is_file():
        raise UsageError(f"andon core: no tape at {args.replay}", "give a CSV, .csv.gz or Parquet file")
    loaded = settings(args, args.profile)
    from core.app.options import CoreOptions
    from core.app.service import run as serve

    options = CoreOptions(
        data_dir=data_dir(args),
        loaded=loaded,
        profile=args.profile,
        venues=tuple(args.venue),
        replay=args.replay,
        speed=args.speed,
        headless_seconds=args.headless_seconds,
        quiet=args.quiet,
        seed=args.seed,
        symbol=args.symbol,
        skip_bad=args.skip_bad,
    )
    return serve(options)
