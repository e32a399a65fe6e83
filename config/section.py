"""What every section of the settings is."""

from __future__ import annotations

from typing import Annotated

import msgspec

from config.rules import Rule

On = Annotated[bool, Rule("true | false", note="false = shown, but never trips")]
Fraction = Annotated[float, Rule("fraction", 0, 1, above=True)]
Ratio = Annotated[float, Rule("ratio", 0, 1000, above=True)]
Seconds = Annotated[float, Rule("s", 0, 86_400, above=True)]
Flag = Annotated[bool, Rule("true | false")]
Text = Annotated[str, Rule("text")]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections."""
