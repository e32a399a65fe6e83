"""What client commands share: the data folder, and an attached client."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from andon.errors import CliError, NotConfirmed
from andon.output import clean

if TYPE_CHECKING:
    from bus.address import Address
    from bus.client import Client
    from bus.sockets import ClientKeys
    from bus.wire import Reply
    from config.load import Loaded

_LOOK = "see andon status"
_WHERE = {"algo": "see andon algo list", "override": "see andon override list"}


def data_dir(args: Namespace) -> Path:
    """The core's folder: ``--data-dir``, else $ANDON_HOME, else the user's data folder. Not created here."""
    from config.paths import data_dir as chosen

    return chosen(args.data_dir, os.environ)


def settings(args: Namespace, profile: str | None = None) -> Loaded:
    """The effective configuration. Raises ConfigError, which the boundary turns into exit code 2."""
    from config.load import load
    from config.paths import default_config_file

    file = args.config if args.config is not None else default_config_file(data_dir(args))
    return load(profile, file, None, os.environ)


def keys_dir(args: Namespace) -> Path:
    """Where key pairs and the list of known keys are."""
    return data_dir(args) / "keys"


@contextmanager
def attached(args: Namespace) -> Iterator[Client]:
    """A client of the core that the arguments name. Raises NotReachable, exit code 3, with the way out."""
    from bus.client import Client

    with Client.attach(args.attach, data_dir=data_dir(args), key=key_of(args)) as client:
        yield client


def key_of(args: Namespace) -> Path | None:
    """``--key``: a key file, or the name of a pair in the data folder."""
    return _key_file(args.key, data_dir(args))


def where(target: str | None, folder: Path, key: str | None) -> tuple[Address, ClientKeys | None]:
    """Address and keys of a core, without asking whether it answers. Raises NotReachable."""
    from bus.address import NotReachable, resolve

    address, file = resolve(target, folder), _key_file(key, folder)
    if file is not None:
        from bus.keys import read_key

        return address, read_key(file).for_client(address.server_public_key)
    if address.command.startswith("tcp://"):
        raise NotReachable(f"{address.command} is TCP and needs --key; make one with: andon keys new NAME")
    return address, None


def _key_file(named: str | None, folder: Path) -> Path | None:
    if named is None:
        return None
    path = Path(named)
    return path if path.exists() or os.sep in named else folder / "keys" / f"{named}.key"


def ask(client: Client, args: Namespace, type: str, data: dict[str, Any], *, reason: str = "") -> Reply:
    """One command to its final reply, with the data of the earlier ones under its own.

    Raises NotConfirmed when none comes within ``--timeout``. The caller looks at ``status``: a refusal carries what
    it wants to show.
    """
    from bus.client import NotReachable, Unconfirmed

    final: Reply | None = None
    told: dict[str, Any] = {}
    try:
        for reply in client.request(type, data, reason=reason, timeout_s=args.timeout):
            final = reply
            told |= reply.data
    except (Unconfirmed, NotReachable) as error:  # it answered a ping: this request may have arrived
        order = f"order {told['cl_ord_id']}: " if "cl_ord_id" in told else ""
        raise NotConfirmed(f"andon {args.command}: {clean(order)}not confirmed ({error})", _LOOK) from None
    if final is None or final.status in {"accepted", "progress"}:
        raise NotConfirmed(f"andon {args.command}: no final answer in {args.timeout:g} s", _LOOK)
    final.data = told
    return final


def refusal(args: Namespace, reply: Reply) -> CliError | None:
    """The error of a reply that is not ``done``, None for one that is."""
    if reply.status == "done":
        return None
    error = getattr(reply, "error", None)
    why = f"{error.code}: {error.message}" if error else "no reason given"
    text = f"andon {args.command}: {reply.status}: {clean(why)}{_measured(reply)}"
    return CliError(text, _WHERE.get(args.command, _LOOK))


def first_denial(data: dict[str, Any]) -> dict[str, Any] | None:
    """The layer that refuses: the first of the gate's decisions that is not a pass."""
    rows = data.get("decisions")
    denied = (row for row in rows if isinstance(row, dict) and not row.get("ok")) if rows else iter(())
    return next(denied, None)


def _measured(reply: Reply) -> str:
    """What the refusing layer measured, against its limit."""
    row, error = first_denial(reply.data), getattr(reply, "error", None)
    if row is None or not error or row.get("code") != error.code:
        return ""
    told = [f"{name} {row[name]:,.6g}" for name in ("value", "limit") if isinstance(row.get(name), float)]
    return f": {', '.join(told)}" if told else ""
