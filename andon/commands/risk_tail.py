"""`andon risk tail`: how heavy the losses are, by Hill and by peaks over a threshold."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from andon import output
from andon.commands.risk_var import ALPHA, data_options, series, tail_probability
from andon.errors import DONE
from andon.parser import natural
from andon.risk_out import keep

_EXAMPLES = """\
  andon risk tail --returns btc.csv.gz --prices --alpha 0.001
  andon risk tail --returns closes.csv --prices --column AAPL --k 300 --json     a k of your own"""


def configure(subparsers: Any) -> None:
    """Add the parser of `andon risk tail`."""
    parser = subparsers.add_parser(
        "tail",
        help="how heavy the tail of losses is",
        description="Tail index (Hill) and VaR and ES beyond the data (generalised Pareto over a threshold).",
        examples=_EXAMPLES,
    )
    data_options(parser)
    parser.add_argument("--alpha", type=tail_probability, default=ALPHA, metavar="A",
                        help="probability of the tail (default 0.01)")  # fmt: skip
    parser.add_argument("--k", type=natural, action="append", default=[], metavar="K",
                        help="losses above the threshold; repeatable (default: 5 %% and 10 %% of rows)")  # fmt: skip
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """One row for each k: a result that moves much with it is none."""
    from core.analytics.tail import hill, pot

    one = series(args)
    n = len(one.returns)
    rows: list[dict[str, Any]] = []
    for k in args.k or dict.fromkeys(max(5, n // part) for part in (20, 10)):
        by_hill, by_pot = hill(one.returns, k), pot(one.returns, args.alpha, k)
        rows.append({
            "k": k, "n": n, "alpha": args.alpha, "threshold": by_hill.threshold, "index": by_hill.index,
            "xi": by_hill.xi, "xi_error": by_hill.xi_error, "pot_xi": by_pot.xi, "pot_beta": by_pot.beta,
            "var": by_pot.var, "es": by_pot.es,
        })  # fmt: skip
    keep(args, rows)
    if args.json:
        for row in rows:
            output.json_line(row | {"notes": one.notes})
        return DONE
    head = ("k", "threshold", "Hill index", "xi", "error", "POT xi", "beta", "VaR", "ES")
    shown = ("threshold", "index", "xi", "xi_error", "pot_xi", "pot_beta", "var", "es")
    output.table(
        head, [(str(row["k"]), *(output.number(row[key], 5) for key in shown)) for row in rows], left=0
    )
    for note in one.notes:
        output.line(output.clean(f"note: {note}"))
    return DONE
