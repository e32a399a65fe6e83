"""Settings of orders and order lists. The section names are the TOML's."""

from __future__ import annotations

from typing import Annotated

from config.rules import Rule
from config.section import Section


class OrderSettings(Section, frozen=True):
    """Orders that work at a venue."""

    protective_on_cancel_all: Annotated[
        str,
        Rule(
            "text",
            choices=("keep", "replace", "cancel"),
            note="protective stops at cancel_all, stop and a halt; a flatten cancels them always",
        ),
    ] = "keep"
