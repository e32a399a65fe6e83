"""`andon doctor`: preflight. Every row that is not ok says what to do about it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from andon import output
from andon.checkup import Row, checkup
from andon.errors import DONE, FAILED
from andon.parser import target
from andon.session import settings

EXAMPLES = {
    "doctor": """\
  andon doctor                            before the first start, and whenever something is odd
  andon doctor --print-config             every setting with the source of its value
  andon doctor --profile live --json"""
}


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon doctor`."""
    parser.add_argument(
        "--profile", default="paper", metavar="NAME", help="settings to check (default paper)"
    )
    parser.add_argument(
        "--print-config", action="store_true", help="effective settings and where each came from"
    )
    target(parser)


def run(args: Namespace) -> int:
    """Exit 1 when a row fails; warnings and skips are not failures."""
    if args.print_config:
        return _print_config(args)
    rows: list[Row] = []
    for row in checkup(args):
        rows.append(row)
        if args.json:
            output.json_line(row._asdict())
        else:
            output.line(output.clean(f"{row.status:<4}  {row.check:<10}  {row.detail}"))
            if row.fix:
                output.line(output.clean(f"      {'':<10}  fix: {row.fix}"))
    failed = [row.check for row in rows if row.status == "fail"]
    if failed:
        output.complain(f"andon doctor: failed: {', '.join(failed)}; each row says what to do")
    return FAILED if failed else DONE


def _print_config(args: Namespace) -> int:
    from config.show import print_config

    loaded = settings(args, args.profile)
    if not args.json:
        output.line(print_config(loaded).rstrip())
        return DONE
    from config.schema import flat, is_secret

    values = {
        leaf.key: {"value": "(hidden)" if is_secret(leaf.key) else value, "source": loaded.sources[leaf.key]}
        for leaf, value in flat(loaded.settings)
    }
    output.json_line({"profile": loaded.profile, "sha256": loaded.sha256, "settings": values})
    return DONE
