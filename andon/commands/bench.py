"""`andon bench`: measured values beside their goals and their peers."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from andon import output
from andon.benches import COLUMNS, Bench, Row, complete, discover
from andon.errors import DONE, FAILED, UsageError
from andon.parser import nearest

EXAMPLES = {
    "bench": """\
  andon bench --list
  andon bench --json                a row a line, with the ratio to each peer measured in the same run"""
}


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of `andon bench`."""
    parser.add_argument("name", nargs="*", metavar="NAME", help="which (default all)")
    parser.add_argument("--list", action="store_true", help="names only")


def run(args: Namespace) -> int:
    """Run the benches; exit 1 when a goal is missed."""
    benches = discover()
    chosen = _chosen(args.name, benches)
    if args.list:
        for name in chosen:
            output.json_line({"name": name}) if args.json else output.line(name)
        return DONE
    rows: list[Row] = []
    for name in chosen:
        for measured in benches[name]():
            rows.append(complete(measured))
            if args.json:
                output.json_line(rows[-1])
    if not args.json:
        output.table(COLUMNS, [[_cell(row[key]) for key in COLUMNS] for row in rows])
    missed = [str(row["name"]) for row in rows if row["ok"] is False]
    if missed:
        output.complain(f"andon bench: goal missed: {', '.join(missed)}; run it again on a quiet machine")
        return FAILED
    return DONE


def _chosen(names: list[str], benches: dict[str, Bench]) -> list[str]:
    """The named ones; a first word (``risk``) stands for all of its family (``risk.var_es`` and so on)."""
    chosen: dict[str, None] = {}
    for name in names:
        family = [bench for bench in benches if bench == name or bench.startswith(f"{name}.")]
        if not family:
            known = ", ".join(benches) or "none in this build"
            raise UsageError(
                f"andon bench: no bench {name!r}{nearest(name, list(benches))}", f"there are: {known}"
            )
        chosen.update(dict.fromkeys(family))
    return list(chosen or benches)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
