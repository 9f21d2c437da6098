"""A mount that Samba shares with the network. (An NFS export is not tested: the kernel's server needs a module that few test machines have.)"""

import os
import pathlib

import pytest

from support import machine
from support.process import Process, answers, free_port
from support.programs import run

SETTINGS = """\
[global]
  server role = standalone server
  map to guest = bad user
  guest account = root
  interfaces = lo
  bind interfaces only = yes
  smb ports = {port}
  disable netbios = yes
  disable spoolss = yes
  load printers = no
  log file = {local}/log.%m
  private dir = {local}
  lock directory = {local}
  state directory = {local}
  cache directory = {local}
  pid directory = {local}
  ncalrpc dir = {local}/ncalrpc
  server min protocol = SMB2
[share]
  path = {path}
  read only = no
  guest ok = yes
  force user = root
"""


class Share:
    """smbclient's commands in one session."""

    def __init__(self, port, local):
        self._port, self._local = port, local

    def __call__(self, *commands):
        return run("smbclient", "-N", "-s", self._local / "smb.conf", "-p", self._port, "//127.0.0.1/share", "-c", "; ".join(commands))


@pytest.fixture
def share(place, tmp_path):
    machine.require_root()
    for program in ("smbd", "smbclient"):
        machine.require_program(program)
    local, port = pathlib.Path(tmp_path / "samba"), free_port()
    local.mkdir()
    (local / "smb.conf").write_text(SETTINGS.format(port=port, local=local, path=place.path))
    server = Process(["smbd", "-F", "-s", local / "smb.conf"], local / "out")
    try:
        server.wait_until(lambda: answers(port), "smbd answers")
        yield Share(port, local)
    finally:
        server.stop()


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    for number in range(12):
        path = root / f"d{number % 3}" / f"file {number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(number * 40_000))
    return root


def test_files_are_put_listed_renamed_taken_and_deleted(place, share, tree, tmp_path):
    share(f'lcd "{tree}"', "recurse ON", "prompt OFF", "mput *")
    run("diff", "-r", tree, place.path)
    listing = share("cd d1", "ls")
    assert all(f"file {number}.bin" in listing for number in (1, 4, 7, 10))
    share("cd d1", 'rename "file 1.bin" "other name.bin"', 'del "file 4.bin"', "mkdir made", "rmdir made")
    (tree / "d1" / "file 1.bin").rename(tree / "d1" / "other name.bin")
    (tree / "d1" / "file 4.bin").unlink()
    (tmp_path / "taken").mkdir()
    share(f'lcd "{tmp_path / "taken"}"', "recurse ON", "prompt OFF", "mget *")
    run("diff", "-r", tree, tmp_path / "taken")
    (place / "by the host").write_bytes(b"x" * 1234)
    assert "1234 bytes" in share('allinfo "by the host"')
    assert "by the host" in share("ls") and share("deltree d2") is not None
    assert not (place / "d2").exists()


def test_what_was_put_is_there_on_another_host(place, share, tree):
    path = tree / "d2" / "file 11.bin"
    share(f'put "{path}" new.bin', f'put "{tree}/d0/file 9.bin" new.bin')
    assert (place.on_another_host() / "new.bin").read_bytes() == (tree / "d0" / "file 9.bin").read_bytes()
    assert os.listdir(place.path) == ["new.bin"]


def test_a_directory_is_renamed_through_the_share(place, share, tree):
    share(f'lcd "{tree}"', "recurse ON", "prompt OFF", "mput d1")
    share("rename d1 moved")
    assert sorted(os.listdir(place / "moved")) == sorted(os.listdir(tree / "d1"))
