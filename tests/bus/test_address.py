"""Finding a core, and saying what to do when there is none."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bus.address import (
    Address,
    NotReachable,
    core_file,
    default_data_dir,
    local_endpoints,
    remove_core,
    resolve,
    write_core,
)
from bus.client import Client, Unconfirmed

from .toy import Toy


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "btc"
    write_core(folder, Address("ipc:///s", "ipc:///c", 3, os.getpid(), "KEY"))
    return folder


def test_every_way_to_name_a_core_leads_to_it(home: Path) -> None:
    found = resolve(None, home)
    assert (found.state, found.command, found.epoch, found.server_public_key) == (
        "ipc:///s",
        "ipc:///c",
        3,
        "KEY",
    )
    assert found.path == str(core_file(home))
    for target in (str(home), str(core_file(home)), "btc"):
        assert resolve(target, home.parent / "eth") == found
    remote = resolve("state=tcp://h:1,command=tcp://h:2,server_public_key=a=b", home)
    assert (remote.state, remote.command, remote.server_public_key) == ("tcp://h:1", "tcp://h:2", "a=b")


@pytest.mark.parametrize(
    "target", ["state=tcp://h:1", "state=tcp://h:1,command=", "state=a://b,command=c,x=d", "nobody"]
)
def test_a_target_that_makes_no_sense_is_one_line_with_the_way_out(home: Path, target: str) -> None:
    with pytest.raises(NotReachable) as caught:
        resolve(target, home)
    assert "state=ENDPOINT" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_core_a_dead_core_and_a_broken_file_say_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(NotReachable, match=r"no core runs .* andon core"):
        resolve(None, tmp_path)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    write_core(tmp_path, Address("ipc:///s", "ipc:///c", 1, ended.pid))
    with pytest.raises(NotReachable, match=f"pid {ended.pid}. is gone; .* andon core"):
        resolve(None, tmp_path)
    for content in (b"", b"{", b"[]", b'{"state": 1}', b"\xff"):
        core_file(tmp_path).write_bytes(content)
        with pytest.raises(NotReachable, match=r"cannot read .* andon core"):
            resolve(None, tmp_path)


def test_the_file_is_private_whole_and_taken_back_only_by_its_owner(home: Path) -> None:
    assert core_file(home).stat().st_mode & 0o777 == 0o600
    assert core_file(home).parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in core_file(home).parent.iterdir()] == ["core.json"]
    remove_core(home, 2)
    assert core_file(home).exists()
    remove_core(home, 3)
    assert not core_file(home).exists()


def test_a_path_too_long_for_a_socket_goes_to_the_runtime_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    state, command = local_endpoints(deep)
    folder = Path(command.removeprefix("ipc://")).parent
    assert folder.parent == tmp_path / "run" / "andon"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert local_endpoints(deep) == (state, command) != local_endpoints(deep / "x")
    with Toy(deep), Client.attach(data_dir=deep) as client:
        assert client.ping()["role"] == "operator"


def test_a_temporary_folder_may_be_too_deep_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep / "run"))
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    _, command = local_endpoints(deep)
    folder = Path(command.removeprefix("ipc://")).parent
    assert folder.parent == Path(f"/tmp/andon-{os.getuid()}")
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()


def test_the_data_folder_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDON_HOME", "/somewhere")
    assert default_data_dir() == Path("/somewhere")
    monkeypatch.delenv("ANDON_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.setattr(sys, "platform", "linux")
    assert default_data_dir() == Path("/data/andon")


def test_the_client_says_when_nobody_answers_and_when_nobody_confirms(tmp_path: Path) -> None:
    nowhere = f"state=ipc://{tmp_path}/no,command=ipc://{tmp_path}/where"
    with pytest.raises(NotReachable, match=r"no answer .* within 0.3 s"):
        Client.attach(nowhere, timeout_s=0.3)
    with Toy(tmp_path) as toy, Client.attach(data_dir=tmp_path) as client:
        toy.answers = lambda request, identity: toy.server.reply(request.id, "accepted")
        with pytest.raises(Unconfirmed) as caught:
            list(client.kill(reason="drill", timeout_s=1.5, id="k1"))  # long enough to have asked again
        assert caught.value.id == "k1"
        assert len(toy.seen) == 1
        toy.answers = lambda request, identity: None
        with pytest.raises(NotReachable, match="andon kill --direct"):
            list(client.kill(reason="drill", timeout_s=0.3))
        assert len(toy.seen) == 2


def test_importing_the_client_is_light() -> None:
    code = "import sys, bus.client; print(sorted({'numpy', 'numba', 'pandas', 'asyncio', 'textual'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # pyzmq itself may bring asyncio; nothing of ours may bring more
    assert "numpy" not in out.stdout
    assert "textual" not in out.stdout
    assert "pandas" not in out.stdout


@pytest.mark.parametrize(
    ("target", "state", "command"),
    [
        ("tcp://10.0.0.5:7702", "tcp://10.0.0.5:7701", "tcp://10.0.0.5:7702"),
        ("tcp://desk", "tcp://desk:7701", "tcp://desk:7702"),
    ],
)
def test_a_tcp_address_names_both_ports(tmp_path: Path, target: str, state: str, command: str) -> None:
    found = resolve(target, tmp_path)

    assert (found.state, found.command) == (state, command)


@pytest.mark.parametrize("target", ["tcp://desk:x", "tcp://desk:0", "tcp://desk:99999"])
def test_a_tcp_address_without_a_port_is_refused_in_words(tmp_path: Path, target: str) -> None:
    with pytest.raises(NotReachable, match="tcp://HOST:COMMAND_PORT"):
        resolve(target, tmp_path)
