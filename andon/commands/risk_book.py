"""`andon risk stress|profile`: what scenarios do to a book, and how much risk it holds; a file's book or a core's."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from andon import output
from andon.errors import DONE, CliError, UsageError
from andon.output import clean
from andon.parser import target
from andon.risk_out import keep
from andon.risk_screen import show_notes, show_profile, show_stress
from andon.session import attached, settings

if TYPE_CHECKING:
    from core.analytics.advice import Recommendation
    from core.analytics.book import Assumptions, Book, Limits
    from core.analytics.profile import Profile
    from core.analytics.scenarios import Set
    from core.analytics.stress import Stress

_BAD_INPUT = frozenset(
    "BAD_FILE BAD_SCENARIO DUPLICATE_SCENARIO DUPLICATE_SYMBOL NO_CASH NO_FILE NO_MARK NOT_FINITE OUT_OF_RANGE"
    " UNKNOWN_FIELD".split()
)
_STRESS = """\
  andon risk stress --book book.toml                     the five scenarios of the house
  andon risk stress --scenarios mine.toml --json         a running core's book, own scenarios
  andon risk stress --book positions.csv --cash USDT=100000 --report out/
  a book: ccy, cash, rates, [[positions]] symbol, qty, mark, avg_px, inverse, …; see docs/risk-profile.md"""
_PROFILE = """\
  andon risk profile                                     the core of the data folder
  andon risk profile --book book.toml --report out/      score, drivers, recommendations, stress, plots"""


def configure(subparsers: Any) -> None:
    """Add ``stress`` and ``profile``."""
    for name, text, examples, run in (
        ("stress", "what each scenario does to the book, and which switches it trips", _STRESS, run_stress),
        ("profile", "risk score, what drives it, and what would help", _PROFILE, run_profile),
    ):
        parser = subparsers.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}.", examples=examples
        )
        parser.add_argument(
            "--book", type=Path, metavar="FILE", help="TOML, JSON or CSV (default: a running core)"
        )
        parser.add_argument("--cash", type=_cash, action="append", default=[], metavar="CCY=AMOUNT",
                            help="the account's cash, for a CSV; repeatable, the account's currency first")  # fmt: skip
        parser.add_argument(
            "--scenarios", type=Path, metavar="FILE", help="TOML (default: the five of the house)"
        )
        parser.add_argument(
            "--report", type=Path, metavar="DIR", help="write an HTML report with plots there"
        )
        target(parser)
        parser.set_defaults(run=run)


def run_stress(args: Namespace) -> int:
    """Worst scenario first."""
    from core.analytics.plain import stress_data

    book, result, _, _ = _computed(args, advise=args.report is not None)
    data = stress_data(book, result)
    keep(args, [row["after"] | {key: row[key] for key in row if key != "after"} for row in data["scenarios"]])
    if args.json:
        output.json_line(data | _written(args))
    else:
        show_stress(book, result)
        _end(args, book, result)
    return DONE


def run_profile(args: Namespace) -> int:
    """Level first, then the nearest limit and the worst scenario."""
    from core.analytics.plain import profile_data

    book, result, profile, advice = _computed(args, advise=True)
    data = profile_data(book, profile, advice)
    keep(args, data["drivers"])
    if args.json:
        output.json_line(data | _written(args))
    else:
        show_profile(book, result, profile, advice)
        _end(args, book, result)
    return DONE


def _cash(text: str) -> tuple[str, float]:
    name, _, amount = text.partition("=")
    try:
        value = float(amount)
    except ValueError:
        value = math.nan
    if not name or not math.isfinite(value):
        raise ArgumentTypeError(f"{text!r} is not CCY=AMOUNT, for example USDT=100000")
    return name, value


def _computed(args: Namespace, *, advise: bool) -> tuple[Book, Stress, Profile, tuple[Recommendation, ...]]:
    from core.analytics.errors import RiskInputError

    try:
        book, chosen = _read(args)
        return _compute(args, book, chosen, advise=advise)
    except RiskInputError as error:
        if error.code in _BAD_INPUT:
            raise UsageError(f"andon risk {args.what}: {error.message} ({error.code})") from None
        raise


def _read(args: Namespace) -> tuple[Book, Set]:
    from core.analytics import book_read, scenarios

    chosen = scenarios.load(args.scenarios or scenarios.SHIPPED)
    limits = limits_of(settings(args).settings)
    if args.book is None:
        return _running(args, limits, chosen.assumptions), chosen
    cash = dict(args.cash)
    ccy = next(iter(cash), "USDT")
    return book_read.read(
        args.book, limits=limits, assumptions=chosen.assumptions, cash=cash, ccy=ccy
    ), chosen


def _compute(
    args: Namespace, book: Book, chosen: Set, *, advise: bool
) -> tuple[Book, Stress, Profile, tuple[Recommendation, ...]]:
    from core.analytics.advice import recommend
    from core.analytics.crashes import compile_set
    from core.analytics.profile import Level, profile
    from core.analytics.scenarios import names_not_in
    from core.analytics.stress import run

    shocks = compile_set(chosen, book)
    args.strangers = names_not_in(chosen.scenarios, book)
    previous = Level.__members__.get(getattr(args, "previous", ""), Level.UNKNOWN)  # its hysteresis goes on
    result, seen = run(book, shocks), profile(book, shocks, previous)
    advice = recommend(book, shocks, seen) if advise else ()
    if args.report is not None:
        _report(args, book, result, seen, advice)
    return book, result, seen, advice


def _report(
    args: Namespace, book: Book, result: Stress, seen: Profile, advice: tuple[Recommendation, ...]
) -> None:
    try:
        from core.analytics.report import write_report

        args.written = write_report(args.report, book, result, seen, advice)
    except ImportError:
        do = "install Andon with its report extra: pip install 'andon[report]'"
        raise CliError(f"andon risk {args.what}: the report needs matplotlib", do) from None


def _running(args: Namespace, limits: Limits, assumptions: Assumptions) -> Book:
    """The book of the core that the arguments name."""
    from core.analytics.book_bus import from_messages

    with attached(args) as client:
        messages = {topic: message.data for topic, message in client.snapshot().messages.items()}
    args.previous = messages.get("risk", {}).get("level", "") if args.scenarios is None else ""
    specs, betas = _catalogue(messages)
    return from_messages(messages, specs=specs, betas=betas, limits=limits, assumptions=assumptions)


def _catalogue(messages: dict[str, dict[str, Any]]) -> tuple[list[Any], dict[str, float]]:
    """Specs and betas of the embedded market, when that is what the core trades."""
    if messages.get("account", {}).get("env") != "PAPER":
        return [], {}
    from core.adapters.catalogue import EVERYWHERE

    rows = list(EVERYWHERE.values())
    return [row.spec for row in rows], {row.spec.symbol: row.beta for row in rows}


def limits_of(configured: Any) -> Limits:
    """The limits of the effective settings; a disabled switch has none."""
    from core.analytics.book import Limits

    switches, gate = configured.switches, configured.gate
    named = ("drawdown", "position_loss", "daily_loss", "emergency", "leverage", "margin")
    own = {name: getattr(switches, name).limit if getattr(switches, name).enabled else None for name in named}
    return Limits(
        **own,
        leverage_target=switches.leverage.target,
        margin_target=switches.margin.target,
        position_loss_basis=switches.position_loss.basis,
        concentration=gate.concentration_max,
        order_value=gate.order_value_max,
    )


def _written(args: Namespace) -> dict[str, Any]:
    report = {"report": str(args.written)} if args.report is not None else {}
    return {"not_in_book": args.strangers, **report}


def _end(args: Namespace, book: Book, result: Stress) -> None:
    show_notes(book, result)
    if args.strangers:
        output.line(clean(f"named by scenarios, not in this book: {', '.join(args.strangers)}"))
    if args.report is not None:
        output.line(f"report {clean(args.written)}")
