"""mmap(2), msync(2), munmap(2). In processes of their own: a page that does not come holds all of Python."""

import mmap
import os
import signal
from errno import EACCES, ENODEV

from ..checks import content, equal, make, opened, refused
from ..processes import in_child
from ..registry import case
from ..times import changes

PAGE = mmap.PAGESIZE
DATA = bytes(range(251)) * 200


def mapped(file, size, flags=mmap.MAP_SHARED, protection=mmap.PROT_READ | mmap.PROT_WRITE, offset=0):
    return mmap.mmap(file, size, flags, protection, offset=offset)


@case(guard=20)
def a_map_shows_the_file(d):
    make(d / "file", DATA)
    with opened(d / "file") as file:
        for flags in (mmap.MAP_SHARED, mmap.MAP_PRIVATE):
            with mapped(file, len(DATA), flags, mmap.PROT_READ) as view:
                equal(view[:] == DATA, True)


@case(guard=20)
def a_map_begins_at_a_page(d):
    make(d / "file", DATA)
    with opened(d / "file") as file, mapped(file, 100, protection=mmap.PROT_READ, offset=2 * PAGE) as view:
        equal(view[:], DATA[2 * PAGE:2 * PAGE + 100])


@case(guard=20)
def a_map_stays_when_its_file_is_closed_and_gone(d):
    make(d / "file", DATA)
    file = os.open(d / "file", os.O_RDONLY)
    with mapped(file, len(DATA), protection=mmap.PROT_READ) as view:
        os.close(file)
        os.unlink(d / "file")
        equal(view[:] == DATA, True)


@case(guard=20)
def what_is_written_to_a_shared_map_is_read(d):
    make(d / "file", DATA)
    with opened(d / "file", os.O_RDWR) as file, mapped(file, len(DATA)) as view:
        view[5000:5003] = b"NEW"
        equal(os.pread(file, 3, 5000), b"NEW")
        view.flush()
    equal(content(d / "file") == DATA[:5000] + b"NEW" + DATA[5003:], True)


@case(guard=20)
def what_is_written_to_a_shared_map_stays_without_msync(d):
    make(d / "file", DATA)
    with opened(d / "file", os.O_RDWR) as file:
        with mapped(file, len(DATA)) as view:
            view[5000:5003] = b"NEW"
    equal(content(d / "file") == DATA[:5000] + b"NEW" + DATA[5003:], True)


@case(guard=20)
def what_is_written_after_the_descriptor_is_closed_stays(d):
    make(d / "file", DATA)
    file = os.open(d / "file", os.O_RDWR)
    view = mapped(file, len(DATA))
    os.close(file)
    view[5000:5003] = b"NEW"
    view.flush()
    view.close()
    equal(content(d / "file") == DATA[:5000] + b"NEW" + DATA[5003:], True)


@case(guard=20)
def what_is_written_by_a_descriptor_is_in_the_map(d):
    make(d / "file", DATA)
    with opened(d / "file", os.O_RDWR) as file, mapped(file, len(DATA)) as view:
        equal(view[100:103], DATA[100:103])
        os.pwrite(file, b"NEW", 100)
        equal(view[100:103], b"NEW")


@case(guard=20)
def two_processes_share_a_map(d):
    make(d / "file", bytes(PAGE))
    with opened(d / "file", os.O_RDWR) as file, mapped(file, PAGE) as view:
        def write():
            with opened(d / "file", os.O_RDWR) as other, mapped(other, PAGE) as their_view:
                their_view[10:13] = b"NEW"

        in_child(write)
        equal(view[10:13], b"NEW")


@case(guard=20)
def a_private_map_keeps_what_is_written_to_itself(d):
    make(d / "file", DATA)
    with opened(d / "file") as file, mapped(file, len(DATA), mmap.MAP_PRIVATE) as view:
        view[100:103] = b"NEW"
        equal((view[100:103], os.pread(file, 3, 100)), (b"NEW", DATA[100:103]))
    equal(content(d / "file") == DATA, True)


@case(guard=20)
def behind_the_end_the_last_page_is_zeros_and_stays_out_of_the_file(d):
    make(d / "file", b"content")
    with opened(d / "file", os.O_RDWR) as file, mmap.mmap(file, 0, mmap.MAP_SHARED) as view:
        equal(len(view), 7)
    with opened(d / "file", os.O_RDWR) as file:
        os.ftruncate(file, PAGE)
        with mapped(file, PAGE) as view:
            os.ftruncate(file, 7)
            equal(view[7:], bytes(PAGE - 7))
            view[100:103] = b"NEW"
            view.flush()
    equal((content(d / "file"), os.stat(d / "file").st_size), (b"content", 7))


@case(guard=20)
def a_page_behind_the_end_is_sigbus(d):
    make(d / "file", bytes(2 * PAGE))

    def touch():
        with opened(d / "file", os.O_RDWR) as file, mapped(file, 2 * PAGE, protection=mmap.PROT_READ) as view:
            os.ftruncate(file, 10)
            return view[PAGE]

    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGBUS, signal.SIG_DFL)
        touch()
        os._exit(1)
    status = os.waitpid(pid, 0)[1]
    equal(os.WIFSIGNALED(status) and os.WTERMSIG(status), signal.SIGBUS)


@case(guard=20)
def a_file_that_grows_is_seen_through_its_map(d):
    make(d / "file", bytes(2 * PAGE))
    with opened(d / "file", os.O_RDWR) as file, mapped(file, 2 * PAGE) as view:
        os.ftruncate(file, PAGE)
        os.ftruncate(file, 2 * PAGE)
        view[PAGE:PAGE + 3] = b"NEW"
        view.flush()
        equal(os.pread(file, 3, PAGE), b"NEW")


@case(guard=20)
def writing_to_a_shared_map_gives_new_times(d):
    make(d / "file", DATA)
    with opened(d / "file", os.O_RDWR) as file, mapped(file, len(DATA)) as view:
        def write():
            view[100:103] = b"NEW"
            view.flush()

        equal(changes(file, write), {"mtime", "ctime"})


@case(guard=20)
def holes_are_filled_through_a_map(d):
    with opened(d / "file", os.O_CREAT | os.O_RDWR) as file:
        os.ftruncate(file, 100_000)
        with mapped(file, 100_000) as view:
            view[50_000:50_003] = b"NEW"
    equal(content(d / "file"), bytes(50_000) + b"NEW" + bytes(49_997))


@case(guard=20)
def access_modes_that_do_not_allow_the_map_are_eacces(d):
    make(d / "file", DATA)
    with opened(d / "file", os.O_WRONLY) as file, refused(EACCES):
        mapped(file, PAGE, protection=mmap.PROT_READ)
    with opened(d / "file") as file, refused(EACCES):
        mapped(file, PAGE)


@case(guard=20)
def a_directory_is_enodev(d):
    with opened(d) as directory, refused(ENODEV, EACCES):
        mapped(directory, PAGE, protection=mmap.PROT_READ)
