"""mknod(2), mkfifo(3), and bind(2) of a socket."""

import os
import socket
import stat
from errno import EACCES, EADDRINUSE, ECONNREFUSED, EEXIST, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM

from ..checks import content, equal, make, make_directory, mode_of, opened, refused
from ..processes import alongside
from ..registry import ORDINARY, ROOT, case


@case
def it_makes_an_empty_file(d):
    os.mknod(d / "file", 0o640 | stat.S_IFREG)
    equal((content(d / "file"), mode_of(d / "file"), stat.S_ISREG(os.stat(d / "file").st_mode)), (b"", 0o640, True))


@case
def it_makes_a_fifo(d):
    os.mknod(d / "fifo", 0o640 | stat.S_IFIFO)
    equal((stat.S_ISFIFO(os.stat(d / "fifo").st_mode), mode_of(d / "fifo")), (True, 0o640))


@case(user=ROOT)
def root_makes_devices(d):
    for name, kind in (("character", stat.S_IFCHR), ("block", stat.S_IFBLK)):
        os.mknod(d / name, 0o600 | kind, os.makedev(250, 300))
        seen = os.stat(d / name)
        equal((stat.S_IFMT(seen.st_mode), seen.st_rdev), (kind, os.makedev(250, 300)))


@case(user=ORDINARY)
def a_device_is_eperm_for_others(d):
    for kind in (stat.S_IFCHR, stat.S_IFBLK):
        with refused(EPERM):
            os.mknod(d / "device", 0o600 | kind, os.makedev(1, 3))


@case(guard=15)
def a_fifo_carries_bytes_between_two_processes(d):
    os.mkfifo(d / "fifo")

    def write():
        with opened(d / "fifo", os.O_WRONLY) as fifo:
            os.write(fifo, b"from the other process")

    with alongside(write):
        equal(content(d / "fifo"), b"from the other process")
    equal(os.stat(d / "fifo").st_size, 0)


@case(guard=15)
def a_fifo_has_an_owner_and_times(d):
    os.mkfifo(d / "fifo")
    os.utime(d / "fifo", ns=(5_000_000_001, 6_000_000_002))
    seen = os.stat(d / "fifo")
    equal((seen.st_uid, seen.st_mtime_ns, seen.st_nlink), (os.geteuid(), 6_000_000_002, 1))


@case(guard=15)
def a_socket_connects_two_processes(d):
    os.chdir(d)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        server.listen()

        def call():
            with socket.socket(socket.AF_UNIX) as client:
                client.connect("socket")
                client.sendall(b"hello")

        with alongside(call):
            connection, _ = server.accept()
            equal(connection.recv(10), b"hello")
            connection.close()
    assert stat.S_ISSOCK(os.stat("socket").st_mode)


@case
def a_socket_that_nobody_serves_is_econnrefused(d):
    os.chdir(d)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
    with socket.socket(socket.AF_UNIX) as client, refused(ECONNREFUSED):
        client.connect("socket")


@case
def a_socket_over_anything_is_eaddrinuse(d):
    os.chdir(d)
    make("file")
    with socket.socket(socket.AF_UNIX) as server, refused(EADDRINUSE):
        server.bind("file")


@case
def a_name_that_is_taken_is_eexist(d):
    make(d / "file")
    make_directory(d / "directory")
    for name in ("file", "directory"):
        with refused(EEXIST):
            os.mkfifo(d / name)
        with refused(EEXIST):
            os.mknod(d / name)


@case
def below_nothing_is_enoent(d):
    for call in (os.mkfifo, os.mknod):
        with refused(ENOENT):
            call(d / "no" / "fifo")


@case
def below_a_file_is_enotdir(d):
    make(d / "file")
    for call in (os.mkfifo, os.mknod):
        with refused(ENOTDIR):
            call(d / "file" / "fifo")


@case
def links_in_a_circle_are_eloop(d):
    os.symlink("a", d / "a")
    for call in (os.mkfifo, os.mknod):
        with refused(ELOOP):
            call(d / "a" / "fifo")


@case
def a_name_of_256_bytes_is_enametoolong(d):
    for call in (os.mkfifo, os.mknod):
        with refused(ENAMETOOLONG):
            call(d / ("n" * 256))


@case(user=ORDINARY)
def without_the_right_to_write_the_directory_it_is_eacces(d):
    os.mkdir(d / "directory", 0o500)
    for call in (os.mkfifo, os.mknod):
        with refused(EACCES):
            call(d / "directory" / "fifo")
