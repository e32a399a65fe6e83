"""The two annunciator rows and the banner under them: the same things in the same places on every page."""

from __future__ import annotations

from tui import draw, format
from tui.model import derive
from tui.model.alarms import unacked
from tui.scene import Line, Scene, Span, ends

STATE_GLYPHS = {
    "ACTIVE": "●",
    "READY": "○",
    "REDUCING": "◐",
    "HALTED": "■",
    "FLATTENING": "▼",
    "SHUTDOWN": "■",
}
STATE_STYLES = {"ACTIVE": "bold", "READY": "chip", "REDUCING": "running", "FLATTENING": "running"}
AGE_STYLES = {"fresh": "text", "old": "old", "doubtful": "old", "stale": "stale", "unknown": "doubtful"}
WIDE = 100


def annunciator(scene: Scene, width: int) -> tuple[Line, Line]:
    """Who and where and how fresh; how much and how near."""
    return _identity(scene, width), _figures(scene, width)


def state_chip(scene: Scene) -> Span:
    """The one state word. A word that may be out of date says so by its ``?``."""
    word = scene.word
    glyph = STATE_GLYPHS.get(word, "?")
    style = STATE_STYLES.get(word, "halted" if word in derive.STOPPED else "chip")
    old = (scene.stale or not scene.up) and word != "?"
    doubt = "?" if old else ""
    style = "stale" if old and word not in derive.STOPPED else style
    return (f" {glyph} {word}{doubt} ".ljust(14 if doubt else 12), style)


def _identity(scene: Scene, width: int) -> Line:
    wide = width >= WIDE
    env = scene.env
    left: list[Span] = [
        (" ANDON ", "bold"),
        (f" {env or '?'} ", "chip" if env == "PAPER" else "live"),
        (f" acct {scene.account} " if wide else " ", "dim"),
        state_chip(scene),
        ("  " if wide else " ", "text"),
        *_link(scene),
        ("   " if wide else "  ", "text"),
        *_age(scene),
    ]
    role = "[VIEW]" if scene.view_only else "[CTRL]"
    who = f"{'op ' if wide else ''}{scene.operator[:12]}{role}"
    clock = format.clock(scene.moment.core_ns if scene.view.core_ns else 0)
    doubt = " " if scene.up and not scene.stale else "~"
    right: Line = ((f"{who}  ", "dim"), (f"{doubt}{clock}Z ", "text"))
    return ends(tuple(left), right, width)


def _link(scene: Scene) -> Line:
    link = scene.view.link
    if link.state == "up":
        rtt = scene.moment.stats.rtt_ms
        return (("LINK ", "dim"), (f"ok {_rtt(rtt)}ms", "text"))
    if link.state == "lost":
        return (("LINK ", "dim"), (f"LOST {scene.lost_s:.0f}s", "stale"))
    return (("LINK ", "dim"), (link.state, "old"))


def _rtt(ms: float | None) -> str:
    return "?" if ms is None else "<1" if ms < 1 else f"{ms:.0f}"


def _age(scene: Scene) -> Line:
    age_ns = scene.age_ns
    return (("AGE ", "dim"), (format.age_fine(age_ns), AGE_STYLES[derive.age_grade(age_ns)]))


def _figures(scene: Scene, width: int) -> Line:
    account = scene.view.account
    wide = width >= WIDE
    equity = format.money(account.equity if account else None, 2 if wide else 0)
    day = derive.day(scene.view)
    mark = "~" if derive.age_grade(scene.age_ns) in ("doubtful", "stale") else ""
    left: list[Span] = [
        (" EQ ", "dim"),
        (f"{mark}{equity}", "doubtful" if mark else "bold"),
        (f" {account.ccy}" if account and wide else "", "dim"),
        ("  DAY ", "dim"),
        (
            f"{mark}{format.money(day.pnl, sign=True)} {format.percent(day.fraction, sign=True)}",
            sign_style(day.pnl),
        ),
        (_arrow(day.pnl), sign_style(day.pnl)),
        ("  LEV ", "dim"),
        *_leverage(scene, 12 if wide else 8),
    ]
    return ends(tuple(left), _alarm_counts(scene), width)


def sign_style(value: float | None) -> str:
    """Blue up, orange down; the sign is always printed as well."""
    return "text" if not value else "up" if value > 0 else "down"


def _arrow(value: float | None) -> str:
    return "" if not value else " ▲" if value > 0 else " ▼"


def _leverage(scene: Scene, cells: int) -> Line:
    account, switch = scene.view.account, scene.view.switches.get("leverage")
    value = account.leverage if account else None
    limit = switch.limit if switch else None
    used = value / limit if value is not None and limit else None
    style = "near" if used is not None and used >= 0.8 else "text"
    mark = "~" if derive.age_grade(scene.age_ns) in ("doubtful", "stale") else ""
    text = "—" if value is None else f"{mark}{value:.2f}x"
    of = "—" if limit is None else f"{limit:.1f}x"
    return ((f"{text}/{of} ", style), ("[", "dim"), (draw.bar(used, cells), style), ("]", "dim"))


def _alarm_counts(scene: Scene) -> Line:
    counts = unacked(scene.view)
    high = "high" if counts["high"] and scene.blink else "near" if counts["high"] else "dim"
    return (
        ("ALM ", "dim"),
        (f"‼{counts['high']}", high),
        (" ", "text"),
        (f"!{counts['medium']}", "medium" if counts["medium"] else "dim"),
        (" ", "text"),
        (f"·{counts['low']} ", "text" if counts["low"] else "dim"),
    )


def banner(scene: Scene) -> list[Line]:
    """Full-width lines for what must not be missed; none when all is well."""
    return [*_link_banner(scene), *_cord_banner(scene), *_stop_banner(scene)]


def _link_banner(scene: Scene) -> list[Line]:
    if scene.up:
        if not scene.stale:
            return []
        text = f" ✖ CORE SILENT {format.age(scene.age_ns)}, values are old. Stop: {scene.instead}  (the link is up)"
        return [((text, "stale"),)]
    if scene.view.link.state == "lost" or scene.lost_s > 3:
        seconds = f"{scene.lost_s:.0f} s"
        detail = scene.view.link.detail or scene.view.link.state
        old = ", values are old" if scene.view.snapshots else ""
        what = "LINK LOST" if scene.view.snapshots else "NOT CONNECTED"
        text = f" ✖ {what} {seconds}{old}. Stop: {scene.instead}  ({detail})"
        return [((text, "stale"),)]
    return []


def _cord_banner(scene: Scene) -> list[Line]:
    pull = scene.cord.last if scene.cord is not None else None
    if pull is None:
        return []
    past = scene.moment.mono_ns - pull.at_mono_ns > 15_000_000_000
    if past and (
        scene.up or pull.status != "no answer"
    ):  # from here on it is in the alarms and on the kill panel
        return []
    if pull.status in ("no answer", "failed", "rejected"):
        text = f" ‼ CANCEL ALL: {pull.status.upper()} {pull.error} — run: {scene.instead} "
        return [((text, "halted"),)]
    ack = f"ACK {format.duration_ms(pull.ack_ms)}" if pull.ack_ms is not None else "SENT, no answer yet"
    done = f" · {pull.status.upper()} {format.duration_ms(pull.end_ms)}" if pull.end_ms is not None else ""
    return [((f" CANCEL ALL pulled by ^\\^\\: {ack}{done}  {pull.counts} ", "running"),)]


def _stop_banner(scene: Scene) -> list[Line]:
    if scene.word not in derive.STOPPED:
        return []
    state = scene.view.state
    assert state is not None
    running = [s for s in derive.kills(scene.view) if s.phase != "LATCHED"]
    who = f" by {state.operator}" if state.operator else ""
    why = f": {state.reason}" if state.reason else ""
    since = f" since {format.clock(state.since_ns)}Z" if state.since_ns else ""
    if running:
        kill = running[0]
        late = "  ‼ OVERDUE" if kill.alarmed else ""
        text = f" ▼ {kill.phase} {kill.name}: {derive.kill_counts(kill)}{late}  "
        return [((text, "running"), (f" {scene.word}{who}{why}"[:80], "text"))]
    latched = f"  re-arm: {', '.join(state.latched)}" if state.latched else ""
    return [((f" ■ {scene.word}{who}{since}{why}{_ended(scene)}{latched} ", "halted"),)]


def _ended(scene: Scene) -> str:
    """What the newest kill came to, when it had something to do."""
    done = max(derive.kills(scene.view), key=lambda s: s.tripped_ns, default=None)
    return (
        f"  {derive.kill_counts(done)}" if done is not None and (done.cancel_total or done.flat_total) else ""
    )
