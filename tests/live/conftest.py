"""A folder of its own for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.kit import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)
