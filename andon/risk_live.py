"""`andon risk var` without a file: what the running core's analyst found last, with its age."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from andon import output
from andon.errors import DONE, CliError, UsageError
from andon.risk_out import keep
from andon.session import attached

_HOUR_S = 3600.0


def run_var(args: Namespace) -> int:
    """Print the core's VaR by every method and by symbol; with too little history its note, and no number."""
    with attached(args) as client:
        message = client.snapshot().messages.get("risk")
    held = message.data if message is not None else {}
    if not held.get("var"):
        raise CliError(
            "andon risk var: the core has computed no VaR yet",
            "try again in a few seconds, or give --returns",
        )
    row = chosen(held, args.method, args.alpha)
    keep(args, [{key: row[key] for key in ("var", "es", "alpha", "n", "method", "age_ms")}])
    if args.json:
        output.json_line(row)
    else:
        _show(row)
    return DONE


def chosen(held: dict[str, Any], method: str | None, alpha: float | None) -> dict[str, Any]:
    """The core's result as the file's command says it; another ``method`` is taken from what the core has."""
    found: dict[str, Any] = held["var"]
    if alpha is not None and alpha != found["alpha"]:
        do = f"leave --alpha out, or set risk.alpha in its configuration (now {found['alpha']:g})"
        raise UsageError("andon risk var: a running core computes at one alpha", do)
    row = {**found, "as_of_ns": held["as_of_ns"]["var"], "age_ms": held["age_ms"]["var"]}
    if method is None or method == found["method"] or found["var"] is None:
        return row
    answer = found["methods"].get(method)
    if not isinstance(answer, list):
        raise CliError(f"andon risk var: {method} has no answer for this book ({answer or found['note']})")
    return row | {"method": method, "var": answer[0], "es": answer[1]}


def _show(row: dict[str, Any]) -> None:
    hours, age = row["horizon_s"] / _HOUR_S, row["age_ms"] / 1e3
    source = f"{row['source']}: {row['note']}"
    output.line(output.clean(f"over {hours:g} h, alpha {row['alpha']:g}; {source}; {age:.1f} s old"))
    named: dict[str, Any] = row["methods"] or {row["method"]: [row["var"], row["es"]]}
    output.table(
        ("method", "VaR", "ES"),
        [(f"{name} *" if name == row["method"] else name, *_pair(answer)) for name, answer in named.items()],
    )
    if tail := row.get("tail"):
        output.line(output.clean(f"tail     {_tail(tail)}"))
    if parts := row["component"]:
        output.line()
        order = sorted(parts, key=lambda name: -abs(parts[name] or 0.0))
        output.table(
            ("symbol", "part of VaR", "marginal"),
            [
                (name, output.number(parts[name]), output.number(row["marginal"].get(name), 4))
                for name in order
            ],
        )
        broken = row.get("breakdown") or {}
        output.line(f"normal VaR when all correlations are 1: {output.number(broken.get('all_ones'))};"
                    f" when all moves against the book: {output.number(broken.get('worst'))}")  # fmt: skip


def _pair(answer: Any) -> tuple[str, str]:
    if isinstance(answer, list):
        return output.number(answer[0]), output.number(answer[1])
    return output.UNKNOWN, output.clean(answer)


def _tail(tail: dict[str, Any]) -> str:
    if "note" in tail:
        return str(tail["note"])
    return (
        f"index {tail['index']:.2f} (Hill, {tail['k']} of {tail['n']} losses, xi {tail['xi']:.2f}"
        f" ± {tail['xi_error']:.2f}); POT VaR {output.number(tail['pot_var'])}, ES {output.number(tail['pot_es'])}"
    )
