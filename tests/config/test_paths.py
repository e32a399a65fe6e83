"""Where the files are."""

from __future__ import annotations

from pathlib import Path

import pytest

from bus.address import default_data_dir
from config.paths import data_dir, default_config_file


def test_the_option_beats_the_variable_beats_the_platform() -> None:
    environ = {"ANDON_HOME": "/srv/a", "HOME": "/h/ada", "XDG_DATA_HOME": "/h/ada/data"}
    bare = {"HOME": "/h/ada"}

    assert data_dir("/srv/b", environ) == Path("/srv/b")
    assert data_dir(None, environ) == Path("/srv/a")
    assert data_dir(None, bare | {"XDG_DATA_HOME": "/h/ada/data"}).parts[:3] == ("/", "h", "ada")
    assert data_dir("x", bare) == Path.cwd() / "x"


def test_the_own_file_in_the_data_folder_is_found(tmp_path) -> None:
    assert default_config_file(tmp_path) is None
    (tmp_path / "andon.toml").write_text("")
    assert default_config_file(tmp_path) == tmp_path / "andon.toml"


@pytest.mark.parametrize("variable", ["ANDON_HOME", "XDG_DATA_HOME", "HOME"])
def test_a_client_and_the_core_look_in_the_same_folder(monkeypatch, variable) -> None:
    """The bus may not import the configuration, so it has its own line for this; the two must not part."""
    for name in ("ANDON_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "/srv/somewhere")

    assert data_dir() == default_data_dir()
