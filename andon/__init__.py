"""Andon's front door: the `andon` command, and ``from andon import Client``.

``Client`` is loaded on first use, so that the command line starts without what it does not need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bus.client import Client, NotReachable, Unconfirmed

__all__ = ["Client", "NotReachable", "Unconfirmed"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from bus import client

        return getattr(client, name)
    raise AttributeError(f"module 'andon' has no attribute {name!r}")
