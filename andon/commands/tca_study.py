"""`andon tca study`: the same order by each algorithm on recorded tapes, and routed over two venues."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from andon import output
from andon.errors import DONE, CliError, UsageError
from andon.output import clean, number, percent
from andon.parser import natural, positive
from andon.progress import Progress
from andon.session import settings

if TYPE_CHECKING:
    from core.app.tca_market import Market
    from core.app.tca_studies import Studies

ALGOS = ("immediate", "sliced", "twap", "vwap", "pov", "is", "iceberg", "sor")
STYLES = ("market", "ioc", "limit")
DESCRIPTION = (
    "Algorithms on tapes: the same order at several times, bought and sold, against the simulated venue."
)
EXAMPLES = """\
  andon tca study --tape spot_btcusdt.csv.gz=spot --qty 2 --over 60s
  andon tca study --tape spot.csv.gz=spot --tape perp.csv.gz=perp --participation 0.05 --over 2m --report out/
  andon tca study --tape a.csv=a --tape b.csv=b --algos sor --qty 1 --fee a=10/10 --fee b=2/5
  an algorithm may carry a style: twap:limit rests at the near side, twap:ioc takes what is shown, twap takes it all"""


def configure(parser: ArgumentParser) -> None:
    """Options of the study."""
    add = parser.add_argument
    add(
        "--tape",
        action="append",
        required=True,
        metavar="FILE[=VENUE[:SYMBOL]]",
        help="repeatable; two of one thing are routed over",
    )
    add("--algos", default="", metavar="A,B,…", help=f"of {', '.join(ALGOS)} (default: all that fit)")
    size = parser.add_mutually_exclusive_group(required=True)
    size.add_argument("--qty", type=positive, metavar="Q", help="base units")
    size.add_argument(
        "--participation", type=_share, metavar="P", help="of what the tape trades in that time"
    )
    add("--over", type=duration, default=60.0, metavar="T", help="45s, 10m, 1h (default 60s)")
    add("--slices", type=natural, default=10, metavar="N", help="of sliced algorithms (default 10)")
    add("--starts", type=natural, default=8, metavar="N", help="times the order begins at (default 8)")
    add("--side", choices=("buy", "sell", "both"), default="both", help="default both, so that moves cancel")
    add(
        "--fee", action="append", default=[], type=_fee, metavar="VENUE=MAKER/TAKER", help="bps; default: 2/5"
    )
    add(
        "--latency-ms",
        type=positive,
        default=20.0,
        metavar="MS",
        help="to the venue, each way (default 20 + 0 to 10)",
    )
    add("--no-align", action="store_true", help="route over the prices as they are, basis and all")
    add("--tau", type=positive, default=5.0, metavar="S", help="seconds after which a mid is looked at again")
    add(
        "--param",
        action="append",
        default=[],
        type=_param,
        metavar="ALGO.NAME=V",
        help="a parameter of one algorithm",
    )
    add("--seed", type=natural, default=1, metavar="N", help="of the simulated venues")
    add("--report", type=Path, metavar="DIR", help="write study.html with plots there")


def duration(text: str) -> float:
    """Seconds of ``45s``, ``10m``, ``1h`` or a bare number of seconds."""
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(s|m|h|)", text.strip().lower())
    value = float(found[1]) * {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}[found[2]] if found else 0.0
    if not 0.0 < value <= 7 * 86_400:
        raise ArgumentTypeError(f"{text!r} is not a time from 1s to 7 days, like 45s, 10m or 1h")
    return value


def _share(text: str) -> float:
    value = positive(text)
    if value > 0.5:
        raise ArgumentTypeError(f"{text!r} is more than half of what trades; give a fraction like 0.05")
    return value


def _fee(text: str) -> tuple[str, float, float]:
    found = re.fullmatch(
        r"([^=\s]{1,32})=(-?[0-9]{1,3}(?:\.[0-9]{1,4})?)/(-?[0-9]{1,3}(?:\.[0-9]{1,4})?)", text
    )
    if not found:
        raise ArgumentTypeError(f"{text!r} is not VENUE=MAKER/TAKER in bps, like spot=10/10")
    return found[1], float(found[2]), float(found[3])


def _param(text: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"([a-z]{2,16})\.([a-z_]{1,32})=(\S{1,40})", text)
    if not found or found[1] not in ALGOS:
        raise ArgumentTypeError(f"{text!r} is not ALGO.NAME=VALUE, like is.risk_aversion=0.001")
    return found[1], found[2], found[3]


def run(args: Namespace) -> int:
    """Exit 0 when the tapes ran."""
    algos = _algos(args.algos)
    if not (args.starts and args.slices):
        raise UsageError(
            "andon tca study: --starts and --slices are at least 1", "leave them out for 8 and 10"
        )
    from core.adapters.tape import TapeError
    from core.app.tca_studies import studies

    loaded = settings(args).settings
    try:
        markets = [_market(args, word, loaded.account.ccy) for word in args.tape]
        with Progress("study", "runs") as bar:
            found = studies(markets, loaded, algos, _terms(args), progress=bar.update)
    except TapeError:
        raise
    except ValueError as error:
        raise CliError(f"andon tca study: {error}", "see andon tca study --help") from None
    _print(args, found)
    if args.report is not None:
        from core.analytics.tca_study_report import write_report

        path = write_report(args.report, found.rows, found.runs, found.routings, found.stated)
        if not args.json:
            output.line(clean(f"report {path}"))
    return DONE


def _terms(args: Namespace) -> dict[str, Any]:
    return {
        "qty": args.qty,
        "participation": args.participation,
        "over_s": args.over,
        "slices": args.slices,
        "starts": args.starts,
        "sides": ("buy", "sell") if args.side == "both" else (args.side,),
        "tau_s": args.tau,
        "seed": args.seed,
        "latency_ms": args.latency_ms,
        "align": not args.no_align,
        "params": _params(args.param),
    }


def _params(given: list[tuple[str, str, str]]) -> dict[str, dict[str, Any]]:
    params: dict[str, dict[str, Any]] = {}
    for algo, name, value in given:
        params.setdefault(algo, {})[name] = value
    return params


def _algos(text: str) -> list[str]:
    """Names, each perhaps with a style; default all."""
    words = [word for word in text.replace(" ", "").split(",") if word] or list(ALGOS)
    for word in words:
        algo, _, style = word.partition(":")
        if algo not in ALGOS or (style and style not in STYLES):
            raise UsageError(
                f"andon tca study: no algorithm {clean(word)!r}",
                f"of {', '.join(ALGOS)}; styles {', '.join(STYLES)}",
            )
    return list(dict.fromkeys(words))


def _market(args: Namespace, word: str, ccy: str) -> Market:
    """FILE[=VENUE[:SYMBOL]]; the file's name stands in for a venue that is not given."""
    from core.app.tca_market import Source, load

    name, _, rest = word.partition("=") if not Path(word).is_file() else (word, "", "")
    venue, _, symbol = rest.partition(":")
    path = Path(name)
    if not path.is_file():
        raise UsageError(
            f"andon tca study: no tape at {clean(name)}", "give FILE=VENUE, a CSV, .csv.gz or Parquet file"
        )
    venue = venue or re.sub(r"\W+", "-", path.name.split(".")[0])[:24]
    fees = {v: (maker, taker) for v, maker, taker in args.fee}
    maker, taker = fees.get(venue, (None, None))
    return load(Source(path=path, venue=venue, symbol=symbol, maker_bps=maker, taker_bps=taker), settle=ccy)


def _print(args: Namespace, found: Studies) -> None:
    if args.json:
        for row in found.rows:
            output.json_line({"kind": "algo", **_flat(row)})
        for routing in found.routings:
            for way in routing.rows:
                output.json_line({"kind": "way", **_flat(way)})
            output.json_line(
                {"kind": "routing", **{k: v for k, v in _flat(routing).items() if k not in ("rows", "runs")}}
            )
        return
    for line in found.stated:
        output.line(clean(line))
    if found.rows:
        output.line()
        output.line(
            "bps of arrival value, cost positive, fees in it; medians with quartiles over starts and sides;"
        )
        output.line(
            "in buy+sell and over immediate what did not fill is charged a taker's fee at the end price"
        )
        _table(found)
    for routing in found.routings:
        _routing(routing)


def _flat(row: Any) -> dict[str, Any]:
    import msgspec

    return msgspec.structs.asdict(row)


def _table(found: Studies) -> None:
    head = (
        "market",
        "algo",
        "runs",
        "filled",
        "maker",
        "share",
        "shortfall",
        "buy+sell",
        "over immediate",
        "to VWAP",
        "with own",
    )
    rows = [
        (
            r.market, r.algo, r.runs - r.refused, percent(r.filled_ratio, 0), percent(r.maker_ratio, 0),
            percent(r.participation_ratio, 1), _quartiles(r, "shortfall"), _quartiles(r, "even"),
            _quartiles(r, "over_immediate"), _quartiles(r, "vwap"), number(r.vwap_own_median_bps),
        )
        for r in found.rows
    ]  # fmt: skip
    output.table(head, rows, left=2)
    for row in found.rows:
        if row.refused:
            output.line(clean(f"! {row.market} {row.algo}: {row.refused} of {row.runs} refused: {row.why}"))


def _quartiles(row: Any, name: str) -> str:
    q1, median, q3 = (getattr(row, f"{name}_{part}_bps") for part in ("q1", "median", "q3"))
    return f"{number(median)} [{number(q1)}, {number(q3)}]" if median is not None else output.UNKNOWN


def _routing(routing: Any) -> None:
    output.line()
    head = ("market", "way", "full", "fees", "all-in", "where it went")
    rows = [
        (
            r.market, r.way, f"{r.full}/{r.runs}", number(r.fees_bps), _quartiles(r, "all_in"),
            ", ".join(f"{venue} {percent(share, 0)}" for venue, share in r.shares.items()) or r.refused or "nowhere",
        )
        for r in routing.rows
    ]  # fmt: skip
    output.table(head, rows, left=2)
    output.line(
        f"routed saved {_quartiles(routing, 'saved')} bps against {clean(routing.better)}, the better single venue, and"
        f" {_quartiles(routing, 'saved_hindsight')} against the better one of each of {routing.compared} runs"
    )
