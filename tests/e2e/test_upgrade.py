"""`prefixfs upgrade`, beside what test_takeover.py holds: asked for often, and of a mount whose device another one had before."""

import os
import time

from support import machine
from support.admin import prefixfs
from support.clients import Space
from support.mount import unmount
from support.wait import until

OFTEN = 25
SLOW = 4000  # ms that each request takes
MOUNTS = 4


def upgraded(mnt):
    before = mnt.worker()
    said = prefixfs("upgrade", mnt.path)
    return said.status == 0 and mnt.workers() not in ([], [before])


def with_device(number, start):
    """A mount whose device has this number: the kernel gives the lowest that is free."""
    for _ in range(MOUNTS):
        made = start()
        if made.path.stat().st_dev == number:
            return made
    machine.skip("another program has mounted something, and got the number of the device")


def test_often_in_a_row(devs3, make_mount, space):
    """A session that ends for an upgrade is not taken for an end of the mount."""
    mnt = make_mount()
    for number in range(OFTEN):
        time.sleep(0.3)  # the time is the point: a worker that rests ends at once
        assert upgraded(mnt), f"{number}:\n{mnt.log()}"
    (mnt / "file").write_bytes(b"content")
    assert space.get("file") == b"content"


def test_while_the_mount_that_had_the_device_before_is_still_being_delivered(make_devs3, mounts):
    """The number of the device is in the address at which an upgrade is asked for."""
    server = make_devs3()
    space = Space(server.client(), "e2e", "first/")
    first = mounts.start(space.source, server.endpoint, commit="journal").wait_connected()
    number = first.path.stat().st_dev
    os.listdir(first.path)
    server.latency(SLOW)
    (first / "file").write_bytes(b"content")
    assert unmount(first.path)
    second = with_device(number, lambda: mounts.start("s3://e2e/second", server.endpoint))
    assert first.process.status is None, first.log()
    until(lambda: upgraded(second), 20, "the second one is upgraded")
    server.latency(0)
    assert first.process.wait(30) == 0
    assert space.get("file") == b"content"
