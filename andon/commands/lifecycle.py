"""`andon rearm`, `start`, `stop`: leaving a latched stop, and starting, are separate acts."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from andon import output
from andon.errors import DONE, FAILED, UsageError
from andon.parser import seconds, target
from andon.session import ask, attached, refusal

EXAMPLES = {
    "rearm": """\
  andon rearm drawdown --reason "cause found: stale quote, feed replaced"
  andon rearm all --reason "start of day"
  refused while the switch's condition still holds; leads to READY, then: andon start""",
    "start": '  andon start --reason "desk is staffed"',
    "stop": """\
  andon stop --reason "end of day"        trading stops in order; for the cord: andon kill""",
}


def configure(parser: ArgumentParser, name: str) -> None:
    """Options of the three."""
    if name == "rearm":
        parser.add_argument("switch", metavar="SWITCH|all", help="the latched switch (see andon status)")
    parser.add_argument("--reason", required=name == "rearm", default="", metavar="TEXT",
                        help="why; goes into the audit trail")  # fmt: skip
    parser.add_argument("--timeout", type=seconds, default=10.0, metavar="S", help="default 10 s")
    target(parser)


def run(args: Namespace) -> int:
    """Send, wait, say what the state is now."""
    reason = output.clean(args.reason.strip())
    data = {}
    if args.command == "rearm":
        if not reason:
            raise UsageError("andon rearm: --reason is empty", "say why it is safe to leave the stop")
        data = {"switch": _known(args.switch)}
    with attached(args) as client:
        reply = ask(client, args, args.command, data, reason=reason)
    if error := refusal(args, reply):
        raise error
    if args.json:
        output.json_line({**reply.data, "status": reply.status, "epoch": reply.epoch})
    else:
        state = output.clean(reply.data.get("state", ""))
        then = " (nothing enters anywhere until: andon start)" if state == "READY" else ""
        output.line(f"{args.command} done{': ' + state if state else ''}{then}")
    if refused := reply.data.get("refused"):  # some of several: the rest stays latched
        output.complain(f"andon {args.command}: still latched: {refused}; see andon status")
        return FAILED
    return DONE


def _known(switch: str) -> str:
    from andon.parser import nearest
    from bus.enums import Switch

    names = ["all", *(str(name) for name in Switch)]
    if switch.partition("@")[0] not in names:  # position_loss@symbol:BTC/USDT is one of several
        raise UsageError(
            f"andon rearm: no switch {switch!r}{nearest(switch, names)}", f"one of {', '.join(names)}"
        )
    return switch
