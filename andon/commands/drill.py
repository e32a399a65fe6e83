"""`andon drill`: evidence that every switch stops the book, whatever the venue does."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Any

from andon import output
from andon.errors import DONE, FAILED, UsageError
from andon.parser import natural, nearest
from andon.progress import Progress

COLUMNS = ("switch", "fault", "seed", "ended", "latched", "audited", "cancels", "residual_orders",
           "residual_positions", "ok")  # fmt: skip
EXAMPLES = {
    "drill": """\
  andon drill                                    every switch, every fault
  andon drill drawdown emergency --faults hang,lie
  andon drill all --seed 7 --json
  exit 0 only if every kill ended flat or alarmed, latched and audited"""
}


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon drill`."""
    parser.add_argument(
        "switch", nargs="*", default=["all"], metavar="SWITCH", help="names, or all (default)"
    )
    parser.add_argument("--faults", default="all", metavar="LIST", help="comma separated (default all)")
    parser.add_argument("--seed", type=natural, default=1, metavar="N", help="default 1")


def run(args: Namespace) -> int:
    """One row per switch and fault, as they end."""
    from core.app.drill import FAULTS, SWITCHES, drill

    switches = _chosen("switch", args.switch, list(SWITCHES))
    faults = _chosen("fault", args.faults.split(","), list(FAULTS))
    rows: list[dict[str, Any]] = []
    with Progress("drill", "worlds") as bar:
        for row in drill(switches, faults, args.seed, bar.update):
            rows.append(row)
            if args.json:
                output.json_line(row)
    if not args.json:
        output.table(COLUMNS, [[_cell(row[key]) for key in COLUMNS] for row in rows], left=2)
    bad = [row for row in rows if not row["ok"]]
    if bad or not rows:
        first = f"{bad[0]['switch']} with {bad[0]['fault']}" if bad else "nothing was run"
        output.complain(
            f"andon drill: {len(bad)} of {len(rows)} not ok, first: {first}; do not trade on this build"
        )
        return FAILED
    if not args.json:
        output.line(f"{len(rows)} of {len(rows)} ok")
    return DONE


def _chosen(what: str, given: Sequence[str], known: list[str]) -> list[str]:
    names = [name.strip() for name in given if name.strip()]
    if not names:
        raise UsageError(f"andon drill: no {what} named", f"one of {', '.join(['all', *known])}")
    for name in names:
        if name not in known and name != "all":
            hint = nearest(name, ["all", *known])
            raise UsageError(f"andon drill: no {what} {name!r}{hint}", f"one of {', '.join(['all', *known])}")
    return known if "all" in names else list(dict.fromkeys(names))


def _cell(value: object) -> str:
    return {True: "yes", False: "NO"}[value] if isinstance(value, bool) else str(value)
