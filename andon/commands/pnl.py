"""`andon pnl`: where the money came from, and the proof that it is all there.

The figures of a cut are whole numbers of ledger units. They are counted here again, not believed: the sum printed is
the sum of what is printed, and beside it stand the change of equity and what is between the two.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from andon import output
from andon.errors import DONE, FAILED, CliError
from andon.parser import target
from andon.session import attached

CUTS = ("symbol", "strategy", "hour", "day", "session", "factor", "part")
EXAMPLES = {
    "pnl": """\
  andon pnl                             by part: price, spread, fees, funding, fx, transfer
  andon pnl --by strategy               with the parts of each
  andon pnl --by factor --json
  andon pnl --journal ~/andon/paper     of a core that is not running, from its journal"""
}
_ROWS_MAX = 40  # --json has them all


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon pnl`."""
    parser.add_argument("--by", choices=CUTS, default="part", help="how to cut it (default: part)")
    parser.add_argument(
        "--journal", type=Path, metavar="DIR", help="from a journal instead of a running core"
    )
    target(parser)


def run(args: Namespace) -> int:
    """Print one cut; exit 1 when it does not add up."""
    seen = of_folder(args.journal, "pnl") if args.journal is not None else of_core(args)
    found = accounted(seen, args.by)
    if args.json:
        output.json_line(found)
    else:
        _show(seen, found)
    if found["identity"]["exact"]:
        return DONE
    output.complain(f"andon pnl: by {args.by} the parts do not sum to the total; report it with the journal")
    return FAILED


def of_core(args: Namespace) -> dict[str, Any]:
    """The running core's ``pnl`` message."""
    with attached(args) as client:
        message = client.snapshot().messages.get("pnl")
    if message is None:
        raise CliError("andon pnl: the core has published no profit yet", "try again in a second")
    return dict(message.data)


def of_folder(path: Path, topic: str) -> dict[str, Any]:
    """``pnl`` or ``daily`` from the journal of a data folder, as of its last record."""
    import msgspec

    from core.app.last_state import NoState, last_state
    from core.engine.pnlview import daily_view, pnl_view

    try:
        state = last_state(path)
    except NoState as error:
        raise CliError(str(error)) from None
    view = pnl_view(state) if topic == "pnl" else daily_view(state)
    return dict(msgspec.to_builtins(view))


def accounted(seen: dict[str, Any], by: str) -> dict[str, Any]:
    """The cut ``by`` with its identity: sum of the rows, the ledger's total, the change of equity, the residual."""
    rows: dict[str, float] = seen[f"by_{by}"]
    scale = round(1.0 / seen["unit"])
    counted = sum(round(value * scale) for value in rows.values())
    equity, start = seen["equity"], seen["equity_start"]
    return {
        "by": by,
        "rows": rows,
        "parts": _parts(seen, by),
        "identity": {
            "sum": counted / scale,
            "total": seen["total"],
            "exact": counted == round(seen["total"] * scale),
            "unit": seen["unit"],
            "equity_start": start,
            "equity": equity,
            "equity_change": None if equity is None else equity - start,
            "residual": seen["residual"],
            "residual_bound": seen["residual_bound"],
            "unpriced": seen["unpriced"],
        },
        "as_of_ns": seen["as_of_ns"],
    }


def _parts(seen: dict[str, Any], by: str) -> dict[str, dict[str, float]]:
    """Parts of each row, where the core says them."""
    table = seen.get(f"{by}_parts", {}) if by in ("symbol", "strategy") else {}
    return {key: dict(zip(seen["parts"], row, strict=True)) for key, row in table.items()}


def _show(seen: dict[str, Any], found: dict[str, Any]) -> None:
    rows, parts = found["rows"], found["parts"]
    named = list(seen["parts"]) if parts else []
    ordered = list(rows.items())
    if found["by"] in ("symbol", "strategy"):
        ordered.sort(key=lambda row: -abs(row[1]))
    shown = ordered[-_ROWS_MAX:] if found["by"] in ("hour", "day") else ordered[:_ROWS_MAX]
    output.table(
        (found["by"], "total", *named),
        [
            (key, output.number(value), *(output.number(parts[key][part]) for part in named))
            for key, value in shown
        ],
    )
    if len(shown) < len(ordered):
        output.line(f"and {len(ordered) - len(shown)} more: andon pnl --by {found['by']} --json")
    _identity(found["identity"])


def _identity(identity: dict[str, Any]) -> None:
    digits = max(len(f"{identity['unit']:.9f}".rstrip("0").partition(".")[2]), 0)
    output.line()
    sign = "=" if identity["exact"] else "is NOT"
    output.line(
        f"sum of the rows  {output.number(identity['sum'], digits)} {sign} total"
        f" {output.number(identity['total'], digits)}"
    )
    residual = identity["residual"]
    told = output.UNKNOWN if residual is None else f"{residual:.3g}"
    output.line(
        f"equity           {output.number(identity['equity_start'])} -> {output.number(identity['equity'])}"
        f"  change {output.number(identity['equity_change'], digits)}"
    )
    output.line(
        f"residual         {told}  (rounding of the account's floats; bound {identity['residual_bound']:.3g})"
    )
    if identity["unpriced"]:
        output.line(f"not in it        {identity['unpriced']} shares in a currency without a rate")
