"""Where the programs of others work: a mount; or, to tell a wrong test from a wrong mount, a local directory (PROGRAMS_IN=directory)."""

import os
import pathlib

import pytest

LOCAL = os.environ.get("PROGRAMS_IN") == "directory"


def not_yet(what):
    """The test is as it must be; the mount is not. The run fails once it is, so that this mark goes."""
    return pytest.mark.xfail(not LOCAL, strict=True, raises=(AssertionError, PermissionError), reason=f"{what}: not yet")


class MountedPlace:
    """`make_mount` starts another mount of the same prefix at each call."""

    def __init__(self, make_mount):
        self._make_mount, self._mount = make_mount, make_mount()

    @property
    def path(self):
        return self._mount.path

    def __truediv__(self, name):
        return self.path / name

    def come_back(self, cold=True):
        """Unmounted, and mounted again; `cold`: without anything that the host knew of it."""
        self._mount.remount(cold=cold)

    def on_another_host(self):
        """The path of the same files on another host."""
        return self._make_mount().path


class LocalPlace:
    def __init__(self, directory):
        self.path = pathlib.Path(directory)
        self.path.mkdir()

    def __truediv__(self, name):
        return self.path / name

    def come_back(self, cold=True):
        pass

    def on_another_host(self):
        return self.path
