"""What crosses from one file system to another (EXDEV), and what something is mounted on (EBUSY)."""

import os
import tempfile
from errno import EBUSY, EXDEV

from ..checks import content, equal, make, make_directory, refused
from ..libc import leave_mount_namespace, mount_tmpfs
from ..registry import ROOT, case

ELSEWHERE = "/dev/shm"  # a file system of its own that everyone may write


@case
def rename_to_another_file_system_is_exdev(d):
    make(d / "file", b"content")
    make_directory(d / "directory")
    with tempfile.TemporaryDirectory(dir=ELSEWHERE) as elsewhere:
        for name in ("file", "directory"):
            with refused(EXDEV):
                os.rename(d / name, f"{elsewhere}/{name}")
        equal(os.listdir(elsewhere), [])
    equal(content(d / "file"), b"content")


@case
def rename_from_another_file_system_is_exdev(d):
    with tempfile.NamedTemporaryFile(dir=ELSEWHERE) as file, refused(EXDEV):
        os.rename(file.name, d / "file")
    equal(os.listdir(d), [])


@case
def link_to_another_file_system_is_exdev(d):
    make(d / "file", b"content")
    with tempfile.TemporaryDirectory(dir=ELSEWHERE) as elsewhere, refused(EXDEV):
        os.link(d / "file", f"{elsewhere}/file")


@case(user=ROOT, guard=20)
def what_something_is_mounted_on_is_ebusy(d):
    mounted = make_directory(d / "mounted")
    make_directory(d / "directory")
    leave_mount_namespace()
    mount_tmpfs(mounted)
    with refused(EBUSY):
        os.rmdir(mounted)
    with refused(EBUSY):
        os.rename(mounted, d / "new")
    with refused(EBUSY):
        os.rename(d / "directory", mounted)


@case(user=ROOT, guard=20)
def rename_out_of_what_is_mounted_below_is_exdev(d):
    mounted = make_directory(d / "mounted")
    leave_mount_namespace()
    mount_tmpfs(mounted)
    make(mounted / "file")
    with refused(EXDEV):
        os.rename(mounted / "file", d / "file")
    equal(sorted(os.listdir(d)), ["mounted"])
