"""What this machine can do. Every skip of the suite is made here, with a reason that begins with "machine: "; conftest.py makes any
other skip a failure of the run."""

import os
import shutil
import socket
import subprocess

import pytest

PREFIX = "machine: "


def skip(reason):
    pytest.skip(PREFIX + reason)


def fuse_problem():
    """Why FUSE mounts are not possible; None when they are."""
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse"
    if os.geteuid() != 0:
        return None if shutil.which("fusermount3") else "not root, and no fusermount3"
    # A container may have the device, but not the right to mount.
    probe = subprocess.run(["unshare", "--mount", "true"], capture_output=True)
    return None if probe.returncode == 0 else "no right to mount"


def require_fuse():
    if problem := fuse_problem():
        skip(problem)


def require_root():
    if os.geteuid() != 0:
        skip("not root")


def require_program(name):
    if shutil.which(name) is None:
        skip(f"no {name}")


def require_address(address):
    """An address that can be bound here (an alias on lo)."""
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError as error:
            skip(f"cannot listen on {address}: {error.strerror}")
