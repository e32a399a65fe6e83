"""A command that cannot be carried out, said in one line."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """``code`` for programs, the text for people, ``data`` for both."""

    def __init__(self, code: str, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data or {}
