"""`andon risk size`: how much of equity forecasts deserve, by Kelly under limits, or by a target of volatility."""

from __future__ import annotations

import math
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from andon import output
from andon.commands.risk_var import data_options
from andon.errors import DONE, UsageError
from andon.parser import positive
from andon.risk_out import keep
from andon.session import settings

if TYPE_CHECKING:
    from core.analytics.series import Panel
    from core.analytics.sizing import Sizes

_EXAMPLES = """\
  andon risk size --returns closes.csv --prices --equity 100000 --columns AAPL,GE,XOM
  andon risk size --returns closes.csv --prices --equity 100000 --columns AAPL,GE --means 0.0004,0.0001 --long-only
  andon risk size --returns closes.csv --prices --equity 100000 --weights book.csv --target 0.01    1 % a period
  half of Kelly, means shrunk by their estimation error, capped by the limits of the configuration"""

_ROWS_MIN = 30  # fewer, and what is sized is the estimation error


def configure(subparsers: Any) -> None:
    """Add the parser of `andon risk size`."""
    parser = subparsers.add_parser(
        "size",
        help="how much of equity to hold of each",
        description="Kelly weights of several assets under limits, or weights scaled to a volatility.",
        examples=_EXAMPLES,
    )
    data_options(parser)
    parser.add_argument("--equity", type=positive, required=True, metavar="MONEY", help="account currency")
    parser.add_argument("--columns", type=_names, metavar="A,B", help="which columns (default: --column, or all of the"
                        " weights)")  # fmt: skip
    _kelly_options(parser)
    parser.add_argument(
        "--weights", type=Path, metavar="CSV", help="name,weight: scale these instead, to --target"
    )
    parser.add_argument("--target", type=positive, metavar="V", help="volatility of a period, as 0.01")
    parser.set_defaults(run=run)


def _kelly_options(parser: ArgumentParser) -> None:
    parser.add_argument("--means", type=_numbers, metavar="M,M", help="mean excess returns a period, taken as known"
                        " (default: those of the file, shrunk)")  # fmt: skip
    parser.add_argument("--risk-free", type=_number, default=0.0, metavar="R", help="per period (default 0)")
    parser.add_argument("--fraction", type=positive, default=0.5, metavar="F", help="of Kelly (default 0.5)")
    parser.add_argument("--risk-budget", type=positive, default=math.inf, metavar="V",
                        help="99 %% normal VaR of a period, fraction of equity (default: none)")  # fmt: skip
    parser.add_argument("--long-only", action="store_true", help="no shorts")
    parser.add_argument("--covariance", choices=("ledoit_wolf", "sample", "ewma"), default="ledoit_wolf",
                        help="default ledoit_wolf")  # fmt: skip


def run(args: Namespace) -> int:
    """Print a row for each asset, and what they come to together."""
    if (args.weights is None) != (args.target is None):
        raise UsageError(
            "andon risk size: --weights and --target go together", "give both, or neither for Kelly"
        )
    found = _kelly(args) if args.weights is None else _targeted(args)
    keep(args, found["assets"])
    if args.json:
        output.json_line(found)
        return DONE
    rows = [
        (row["name"], output.percent(row["weight"]), output.number(row["money"]), _kelly_text(row))
        for row in found["assets"]
    ]
    output.table(("asset", "of equity", "money", "full Kelly"), rows)
    output.line(f"volatility {output.percent(found['volatility'], 3)} a period, leverage {found['leverage']:.2f}x,"
                f" growth {output.percent(found['growth'], 4)} a period")  # fmt: skip
    output.line(
        f"capped by {', '.join(found['binding']) or 'nothing'}; left of the means: {found['shrinkage']:.0%}"
    )
    for note in found["notes"]:
        output.line(output.clean(f"note: {note}"))
    return DONE


def _kelly_text(row: dict[str, Any]) -> str:
    return output.UNKNOWN if row["full_kelly"] is None else output.percent(row["full_kelly"])


def _kelly(args: Namespace) -> dict[str, Any]:
    import numpy as np

    from core.analytics.sizing import kelly

    names = args.columns or ((args.column,) if args.column else ())
    if not names:
        raise UsageError("andon risk size: which assets?", "name them: --columns AAPL,GE")
    if len(set(names)) < len(names):
        raise UsageError("andon risk size: an asset stands twice in --columns", "name each once")
    panel = _panel(args, names)
    _enough(panel)
    known = args.means is not None
    if known and len(args.means) != len(names):
        raise UsageError(
            f"andon risk size: {len(args.means)} means for {len(names)} columns", "give one each"
        )
    means = np.array(args.means) if known else panel.returns.mean(axis=0) - args.risk_free
    sizes = kelly(
        means,
        _covariance(args, panel),
        equity=args.equity,
        samples=math.inf if known else len(panel.returns),
        fraction=args.fraction,
        caps=_caps(args),
    )
    return _told(args, panel, sizes)


def _targeted(args: Namespace) -> dict[str, Any]:
    import numpy as np

    from core.analytics.series import load_weights
    from core.analytics.sizing import Sizes, volatility_target

    weights = load_weights(args.weights)
    panel = _panel(args, tuple(weights))
    _enough(panel)
    cov, given = _covariance(args, panel), np.array(list(weights.values()))
    limit = _caps(args).leverage
    scaled = volatility_target(given, cov, args.target, leverage=limit)
    reached = math.sqrt(float(scaled @ cov @ scaled))
    gross = float(np.abs(scaled).sum())
    binding = ("leverage",) if reached < args.target * (1.0 - 1e-9) else ()
    growth = float(panel.returns.mean(axis=0) @ scaled) - reached**2 / 2.0
    return _told(
        args, panel, Sizes(scaled, np.full(len(scaled), math.nan), 1.0, growth, reached, gross, binding)
    )


def _enough(panel: Panel) -> None:
    from core.analytics.errors import RiskInputError

    n, least = len(panel.returns), max(_ROWS_MIN, 2 * len(panel.names))
    if n < least:
        raise RiskInputError(
            "TOO_FEW_ROWS", f"{n} rows say nothing of what to hold: at least {least} are needed"
        )


def _panel(args: Namespace, names: tuple[str, ...]) -> Panel:
    from core.analytics.series import load_panel

    return load_panel(args.returns, names, prices=args.prices, missing=args.missing)


def _covariance(args: Namespace, panel: Panel) -> Any:
    from core.analytics import covariance

    if args.covariance == "ledoit_wolf":
        return covariance.ledoit_wolf(panel.returns)[0]
    return covariance.sample(panel.returns) if args.covariance == "sample" else covariance.ewma(panel.returns)


def _caps(args: Namespace) -> Any:
    """The limits of the effective configuration; a switch that is off caps nothing."""
    from andon.commands.risk_book import limits_of
    from core.analytics.sizing import Caps

    limits = limits_of(settings(args).settings)
    return Caps(
        concentration=limits.concentration or math.inf,
        leverage=limits.leverage or math.inf,
        order_value=limits.order_value or math.inf,
        risk_budget=args.risk_budget,
        long_only=args.long_only,
    )


def _told(args: Namespace, panel: Panel, sizes: Sizes) -> dict[str, Any]:
    rows = zip(panel.names, sizes.weights.tolist(), sizes.full_kelly.tolist(), strict=True)
    assets = [
        {"name": n, "weight": w, "money": w * args.equity, "full_kelly": None if k != k else k}  # noqa: PLR0124
        for n, w, k in rows
    ]
    return {
        "assets": assets, "n": len(panel.returns), "equity": args.equity, "shrinkage": sizes.shrinkage,
        "growth": sizes.growth, "volatility": sizes.volatility, "leverage": sizes.leverage,
        "binding": list(sizes.binding), "notes": list(panel.notes),
    }  # fmt: skip


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _numbers(text: str) -> list[float]:
    return [_number(part) for part in text.split(",")]


def _number(text: str) -> float:
    from argparse import ArgumentTypeError

    try:
        return float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a number") from None
