"""The commands: name -> (module with ``configure`` and ``run``, one line of help).

A table of names, not imports: a command loads only what it needs, and the cord must load least of all.
"""

from __future__ import annotations

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "core and console on the simulated market, in one terminal"),
    "core": ("core", "run the core in the foreground"),
    "tui": ("tui", "the operator's console"),
    "kill": ("kill", "pull the cord: block, cancel, flatten; exit 0 only when the venue has confirmed"),
    "rearm": ("lifecycle", "leave a latched stop, by name and with a reason"),
    "start": ("lifecycle", "let a READY core trade"),
    "stop": ("lifecycle", "stop trading in order, without a kill"),
    "status": ("status", "state, equity, distance to every limit, positions, alarms"),
    "pnl": ("pnl", "where the money came from: by symbol, strategy, hour, day, session, factor, part"),
    "watch": ("watch", "messages of the state bus as they come"),
    "order": ("order", "one order through the gate, with the decision of each layer"),
    "amend": ("amend", "change a working order: quantity, price or trigger"),
    "oco": ("amend", "a take-profit and a stop for what is held: one cancels the other"),
    "algo": ("algo", "execution algorithms at work: list, show, cancel, pause, resume"),
    "override": ("override", "a limit set aside for a time, by two persons: request, grant, list, revoke"),
    "cancel": ("order", "cancel one order, or all"),
    "close": ("order", "close one position, reduce-only"),
    "replay": ("replay", "the engine over a tape, or the proof that a journal replays byte for byte"),
    "tca": ("tca", "what each order cost, from the journal or in a study over tapes"),
    "drill": ("drill", "trip every switch against a venue that misbehaves"),
    "risk": ("risk", "value at risk, stress, profile, performance, backtests: offline, over files"),
    "doctor": ("doctor", "preflight: what is wrong here and how to fix it"),
    "keys": ("keys", "key pairs of clients"),
    "audit": ("audit", "verify, read or export the hash-chained audit trail"),
    "surveil": (
        "surveil",
        "own flow as surveillance would see it: wash, layering, stuffing, marking the close",
    ),
    "bench": ("bench", "measure, with goals and peers"),
}
