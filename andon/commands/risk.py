"""`andon risk`: the analytics offline, over files. Each member of the family lives in a module of its own.

A module in ``FAMILY`` has ``configure(subparsers)``, which adds its parsers with ``examples=`` and sets ``run`` on
each: ``sub.set_defaults(run=function)``, a function from the arguments to an exit code. What every command takes is
added here, and a RiskInputError becomes one line here.
"""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace
from importlib import import_module
from importlib.util import find_spec

from andon.errors import CliError, UsageError
from andon.parser import common
from andon.risk_out import out_option

FAMILY = (
    "risk_var",
    "risk_tail",
    "risk_drift",
    "risk_performance",
    "risk_trades",
    "risk_book",
    "risk_what_if",
    "risk_size",
)
_USAGE_CODES = ("BAD_ALPHA", "BAD_METHOD", "BAD_OPTION", "NO_COLUMN", "NO_FILE")
EXAMPLES = {
    "risk": """\
  andon risk var --returns closes.csv --prices --column BTC --alpha 0.01 --method historical
  andon risk var --help                       options and examples of one of them"""
}


def configure(parser: ArgumentParser, name: str) -> None:
    """One parser for each member of the family that this build has."""
    subparsers = parser.add_subparsers(title="what", dest="what", metavar="WHAT", required=True)
    for module in FAMILY:
        if find_spec(f"andon.commands.{module}") is not None:
            import_module(f"andon.commands.{module}").configure(subparsers)
    for sub in subparsers.choices.values():
        sub.argument_default = (
            SUPPRESS  # an option given before the name must not be reset by its absence after
        )
        common(sub)
        out_option(sub)
        sub.argument_default = None


def run(args: Namespace) -> int:
    """Run the chosen one; input that no honest number can come from is one line."""
    from core.analytics.errors import RiskInputError

    try:
        code = args.run(args)
    except RiskInputError as error:
        kind = UsageError if error.code in _USAGE_CODES else CliError
        raise kind(f"andon risk {args.what}: {error.message} ({error.code})") from None
    assert isinstance(code, int)
    return code
