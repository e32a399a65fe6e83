"""Who may ask for what. One table, default deny: a type that is not in it is refused to everybody."""

from __future__ import annotations

import msgspec

from bus.enums import Role
from bus.wire import Request


class Identity(msgspec.Struct, frozen=True):
    """Who sent a request: the CURVE key's name and role, or the owner of the ipc folder."""

    name: str
    role: Role
    transport: str  # ipc | tcp


LEAST_ROLE = {
    "snapshot": Role.VIEWER,
    "ping": Role.VIEWER,
    "subscribe_history": Role.VIEWER,
    "what_if": Role.VIEWER,
    "submit_order": Role.TRADER,
    "submit_list": Role.TRADER,
    "amend_order": Role.TRADER,
    "cancel_order": Role.TRADER,
    "close_position": Role.TRADER,
    "cancel_algo": Role.TRADER,
    "pause_algo": Role.TRADER,
    "resume_algo": Role.TRADER,
    "kill": Role.OPERATOR,  # and a trader for a strategy, below
    "stop": Role.OPERATOR,
    "cancel_all": Role.OPERATOR,
    "rearm": Role.OPERATOR,
    "start": Role.OPERATOR,
    "start_strategy": Role.OPERATOR,
    "stop_strategy": Role.OPERATOR,
    "acknowledge_alert": Role.OPERATOR,
    "shelve_alert": Role.OPERATOR,
    "request_override": Role.OPERATOR,
    "revoke_override": Role.OPERATOR,
    "grant_override": Role.ADMIN,  # and somebody else than who asked
    "set_limit": Role.ADMIN,
    "promote_model": Role.ADMIN,
}


def refused(request: Request, identity: Identity) -> str:
    """Why this identity may not send this request, or "" when it may."""
    least = LEAST_ROLE.get(request.type)
    if least is not None and identity.role >= least:
        return ""
    if request.type == "kill" and identity.role == Role.TRADER:
        scope = request.data.get("scope")
        if isinstance(scope, str) and scope.startswith("strategy:") and len(scope) > len("strategy:"):
            return ""
        return "a trader may kill strategy:ID only; ask an operator"
    needed = "nobody" if least is None else f"{least.name.lower()} or above"
    return f"{request.type} is for {needed}; {identity.name} is {identity.role.name.lower()}"
