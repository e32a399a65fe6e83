"""Commands out. Everything sent is recorded in the view as SENT; what becomes of it is the core's to say."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from bus.linking import Link
from bus.wire import STOPPING_TYPES
from tui.model.commands import Command
from tui.model.view import Moment, View

DEFAULT_REASON = "operator at console"
EXPIRY_NS = (
    5_000_000_000  # of everything but stopping: a key pressed into a frozen session must not act later
)
LEVELS = ("reduce", "halt", "flatten", "shutdown")


@dataclass(slots=True)
class Control:
    """The console's hand on the core."""

    link: Link
    view: View

    def send(self, type: str, data: dict[str, Any], label: str, reason: str, moment: Moment) -> str:
        """Queue one command; returns its id."""
        command_id = str(uuid.uuid4())
        expires_ns = 0 if type in STOPPING_TYPES else moment.core_ns + EXPIRY_NS
        self.view.commands.sent(Command(command_id, type, label, moment.core_ns, moment.mono_ns))
        self.view.version["commands"] += 1
        why = reason or DEFAULT_REASON
        return self.link.send(type, data, reason=why, expires_ns=expires_ns, id=command_id)

    def kill(self, level: str, scope: str, reason: str, moment: Moment) -> str:
        label = f"kill {level}" + (f" {scope}" if scope != "all" else "")
        return self.send("kill", {"scope": scope, "level": level}, label, reason, moment)

    def rearm(self, switch: str, reason: str, moment: Moment) -> str:
        return self.send("rearm", {"switch": switch}, f"rearm {switch}", reason, moment)

    def start(self, reason: str, moment: Moment) -> str:
        return self.send("start", {}, "start", reason, moment)

    def stop(self, reason: str, moment: Moment) -> str:
        return self.send("stop", {}, "stop", reason, moment)

    def acknowledge(self, alert_id: str, moment: Moment) -> None:
        """Alarms of this console are acknowledged here, those of the core by the core."""
        local = self.view.local.get(alert_id)
        if local is not None:
            local.status = "ACK" if local.status == "UNACK" else local.status
            self.view.version["alerts"] += 1
        elif alert_id in self.view.alerts:
            self.send("acknowledge_alert", {"id": alert_id}, f"ack {alert_id}", "seen at console", moment)

    def shelve(self, alert_id: str, minutes: int, reason: str, moment: Moment) -> None:
        data = {"id": alert_id, "for_s": minutes * 60}
        self.send("shelve_alert", data, f"shelve {alert_id} {minutes} min", reason, moment)
