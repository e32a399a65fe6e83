"""Where the files are, and whether the folder of the sockets can be trusted."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bus.address import default_data_dir
from config.paths import SOCKET_PATH_BYTES_MAX, bus_dir, data_dir, default_config_file, private_dir
from config.rules import ConfigError


def test_the_option_beats_the_variable_beats_the_platform() -> None:
    environ = {"ANDON_HOME": "/srv/a", "HOME": "/h/ada", "XDG_DATA_HOME": "/h/ada/data"}
    bare = {"HOME": "/h/ada"}

    assert data_dir("/srv/b", environ) == Path("/srv/b")
    assert data_dir(None, environ) == Path("/srv/a")
    assert data_dir(None, bare | {"XDG_DATA_HOME": "/h/ada/data"}).parts[:3] == ("/", "h", "ada")
    assert data_dir("x", bare) == Path.cwd() / "x"


def test_a_short_folder_keeps_its_sockets() -> None:
    assert bus_dir(Path("/srv/andon"), {}) == Path("/srv/andon/bus")


@pytest.mark.parametrize("runtime", ["", "/run/user/1", "/run/" + "x" * 100])
def test_a_deep_folder_has_its_sockets_where_they_fit(runtime) -> None:
    deep = Path("/srv") / ("d" * 90)
    chosen = bus_dir(deep, {"XDG_RUNTIME_DIR": runtime} if runtime else {})

    assert len(os.fsencode(chosen / "command.ipc")) <= SOCKET_PATH_BYTES_MAX
    assert chosen != bus_dir(deep / "other", {"XDG_RUNTIME_DIR": runtime})
    assert chosen.is_relative_to("/run/user/1") == (runtime == "/run/user/1")


def test_the_folder_is_made_for_its_owner_alone(tmp_path) -> None:
    made = private_dir(tmp_path / "a" / "bus")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700

    made.chmod(0o755)
    assert stat.S_IMODE(private_dir(made).stat().st_mode) == 0o700


def test_a_link_in_place_of_the_folder_is_refused(tmp_path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "bus").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ConfigError, match="is a link"):
        private_dir(tmp_path / "bus")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a folder that belongs to somebody else")
def test_somebody_elses_folder_is_refused(tmp_path) -> None:
    (tmp_path / "bus").mkdir()
    os.chown(tmp_path / "bus", 12345, 12345)

    with pytest.raises(ConfigError, match="somebody else"):
        private_dir(tmp_path / "bus")


def test_a_file_in_the_way_is_one_line(tmp_path) -> None:
    (tmp_path / "bus").write_text("")
    with pytest.raises(ConfigError, match="cannot use folder"):
        private_dir(tmp_path / "bus")


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
