"""The kill panel: what can be pulled, what is being pulled, and the evidence."""

from __future__ import annotations

from bus.views import SwitchView
from tui import draw, format
from tui.lines.switches import durable_text
from tui.model import derive
from tui.model.commands import Command
from tui.scene import Line, Scene

COUNT_BAR = 30
COMMAND_STYLES = {"SENT": "old", "ACK": "text", "DONE": "bold", "FAILED": "halted", "REJECTED": "halted"}


def choices(scene: Scene, width: int, height: int) -> tuple[str, list[Line]]:
    """The stops, what each does and does not do, and the way round this program."""
    working, positions = len(derive.open_orders(scene.view)), len(derive.open_positions(scene.view))
    gap: list[Line] = [()] if height >= 10 else []
    target = f"{scene.env or '?'}  account {scene.account}"
    lines: list[Line] = [
        (("  target ", "dim"), (target, "bold"), ("   state ", "dim"), (scene.word, "bold")),
        *gap,
        _choice("h", "HALT NEW", "reduce: no order that adds risk; exits pass", "at once"),
        _choice("c", "CANCEL ALL", f"halt: and cancel {_count(scene, working)} working orders", "at once"),
        *([] if scene.view_only else _flatten(scene, positions)[: 2 if gap else 1]),
        *gap,
        (
            ("  any page  ", "dim"),
            ("Ctrl+\\ Ctrl+\\", "key"),
            (" within 2 s = CANCEL ALL, even if this hangs", "text"),
        ),
        (("  outside   ", "dim"), (scene.instead, "key")),
    ]
    return "KILL PANEL  stopping needs no confirmation", [*unavailable(scene), *lines]


def _flatten(scene: Scene, positions: int) -> list[Line]:
    account = scene.view.account
    gross = format.money(account.gross if account else None)
    text = f"flatten: and close {_count(scene, positions)} positions at market"
    return [
        _choice("f", "FLATTEN…", text, "type code"),
        ((f"                 gross {gross}{_doubt(scene)}; slippage is not estimated", "dim"),),
    ]


def _choice(key: str, name: str, text: str, how: str) -> Line:
    return ((f"  {key}  ", "key"), (f"{name:<11}", "bold"), (f" {text} ", "text"), (f"[{how}]", "dim"))


def _count(scene: Scene, number: int) -> str:
    return f"~{number}" if scene.stale or not scene.up else str(number)


def _doubt(scene: Scene) -> str:
    return " ~ (inputs are stale)" if scene.stale or not scene.up else ""


def unavailable(scene: Scene) -> list[Line]:
    """A stop that may not work must not look like one that does."""
    if scene.up and not scene.stale:
        return []
    reason = "NO LINK" if not scene.up else "CORE SILENT"
    return [((f" {reason}: what is sent from here may not arrive. Use: {scene.instead} ", "halted"),)]


def progress(scene: Scene, width: int, height: int) -> tuple[str, list[Line]]:
    """Every running or latched kill with its counts, then what is left on the venue as far as known."""
    kills = derive.kills(scene.view)
    lines: list[Line] = []
    for kill in kills:
        lines += _kill(kill, scene)
    if not kills:
        lines.append((("  nothing is tripped, nothing is being cancelled", "dim"),))
    lines.append(_evidence(scene))
    after = _next(scene)
    left = _left(scene, height - len(lines) - len(after)) if kills else []
    return "KILLS", [*lines, *left, *after]


def _kill(kill: SwitchView, scene: Scene) -> list[Line]:
    running = kill.phase != "LATCHED"
    who = f"by {kill.operator}" if kill.operator else f"at {format.in_unit(kill.tripped_value, kill.unit)}"
    since_ns = max(0, scene.moment.core_ns - kill.tripped_ns)
    lines: list[Line] = [
        (
            (f" {kill.phase:<11}", "running" if running else "halted"),
            (f" {kill.name}", "bold"),
            (f"  {kill.action}  {who}  ", "text"),
            (f"{format.clock(kill.tripped_ns)}Z  {format.age(since_ns)} ago", "dim"),
        )
    ]
    if running:
        lines += [_count_bar("cancelled", kill.cancelled, kill.cancel_total)]
        lines += [_count_bar("flat", kill.flat, kill.flat_total)] if kill.flat_total else []
    else:
        lines.append(((f"{'':13}{derive.kill_counts(kill)}", "bold"),))
    if kill.unconfirmed or kill.alarmed:
        unsure = (f"{'':13}unconfirmed {kill.unconfirmed} ", "near")
        lines.append((unsure, (" ‼ OVERDUE ", "high")) if kill.alarmed else (unsure,))
    lines.append(((f"{'':13}latch {durable_text(kill)}", "dim" if kill.durable else "old"),))
    return lines


def _count_bar(name: str, done: int, total: int) -> Line:
    """``cancelled  ████████····  12/50``: full only when the venue has confirmed the last one."""
    share = done / total if total else 1.0
    return (
        (f"{'':13}{name:<10}", "text"),
        (draw.bar(share, COUNT_BAR), "text"),
        (f"  {done}/{total}", "bold"),
    )


def _next(scene: Scene) -> list[Line]:
    """The way out, one step at a time."""
    state = scene.view.state
    if state is not None and state.latched:
        stays: Line = (("  stays stopped until  ", "dim"), ("R", "key"), (" re-arm…, then ", "text"))
        return [(*stays, ("s", "key"), (" start…", "text"))]
    if state is not None and state.state == "READY":
        return [(("  re-armed and stopped: ", "text"), ("s", "key"), (" start…", "text"))]
    return []


def _evidence(scene: Scene) -> Line:
    rows = derive.open_orders(scene.view)
    unknown = sum(1 for o in rows if o.status == "PENDING_UNKNOWN")
    doubt = "~" if scene.stale or not scene.up else ""
    if not scene.view.snapshots:
        return (("  left now   ", "dim"), ("working ?  unknown ?  positions ?", "old"))
    return (
        ("  left now   ", "dim"),
        (f"working {doubt}{len(rows)}  ", "text"),
        (f"unknown {doubt}{unknown}", "near" if unknown else "text"),
        (f"  positions {doubt}{len(derive.open_positions(scene.view))}", "text"),
        (f"  refused {scene.view.denied}", "dim"),
    )


def _left(scene: Scene, room: int) -> list[Line]:
    """By name, what is still at the venue: orders first, the unknown ones before all."""
    lines: list[Line] = []
    for order in derive.open_orders(scene.view):
        words = f"{order.side} {format.quantity(order.qty)} {order.symbol} {order.cl_ord_id} {order.venue}"
        unknown = order.status == "PENDING_UNKNOWN"
        lines.append(
            (
                ("    order    ", "dim"),
                (f"{order.status:<17}", "near" if unknown else "text"),
                (words, "text"),
            )
        )
    for row in derive.open_positions(scene.view):
        words = f"{format.quantity(row.qty, sign=True)} {row.symbol} {row.venue}"
        lines.append((("    position ", "dim"), (words, "text")))
    if len(lines) > room:
        lines = [*lines[: max(0, room - 1)], ((f"    … {len(lines) - max(0, room - 1)} more", "dim"),)]
    return lines[: max(0, room)]


def commands(scene: Scene, width: int, height: int) -> tuple[str, list[Line]]:
    """What this console has sent, newest first: SENT, ACK, counts, DONE or FAILED, with times and receipts."""
    lines: list[Line] = []
    pull = scene.cord.last if scene.cord is not None else None
    if pull is not None:
        ack, end = format.duration_ms(pull.ack_ms), format.duration_ms(pull.end_ms)
        bad = pull.status in ("no answer", "failed", "rejected")
        lines.append(
            (
                ("  ^\\^\\     ", "key"),
                (f"{pull.status.upper():<9}", "halted" if bad else "bold"),
                (f" cancel all  sent {format.duration_ms(pull.sent_ms)}  ack {ack}  end {end}  ", "text"),
                (f"{pull.counts} {pull.receipt} {pull.error}", "text"),
            )
        )
    for command in reversed(list(scene.view.commands)):
        lines.append(_command(command, scene.moment.mono_ns))
    return "COMMANDS sent from here", lines or [(("  none", "dim"),)]


def _command(command: Command, mono_ns: int) -> Line:
    ack = "no answer" if command.ack_ms is None else f"ack {format.duration_ms(command.ack_ms)}"
    style = "halted" if command.silent(mono_ns) else COMMAND_STYLES[command.state]
    return (
        (f"  {format.clock(command.sent_core_ns)}  ", "dim"),
        (f"{command.state:<9}", style),
        (f" {command.label}  ", "text"),
        (f"{ack}  {format.duration_ms(command.elapsed_ms(mono_ns))}  ", "dim"),
        (f"{command.counts} {command.error} {command.receipt}", "text"),
    )


def tail(scene: Scene, width: int, height: int) -> tuple[str, list[Line]]:
    """The newest acts and refusals, newest first."""
    lines: list[Line] = []
    for ts_ns, row in list(reversed(scene.view.audit))[:height]:
        who = getattr(row, "who", "gate")
        what = getattr(row, "what", "") or f"refused {getattr(row, 'code', '')} {getattr(row, 'symbol', '')}"
        rest = f"{getattr(row, 'target', '')} {getattr(row, 'result', '')} {row.detail}"
        lines.append(
            (
                (f"  {format.clock(ts_ns)}  ", "dim"),
                (f"{who:<10.10} ", "text"),
                (f"{what}  ", "text"),
                (rest, "dim"),
            )
        )
    return "WHAT HAPPENED", lines or [(("  nothing yet", "dim"),)]
