"""status, drain, retry, discard, conflicts: what is not in S3 yet, and what an administrator makes of it."""

import errno
import os
import pathlib
import pty
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import pytest

from support import paths
from support.admin import kept, prefixfs, status
from support.clients import Space
from support.errnos import fails_with
from support.wait import Stopwatch, until

DENIED = {"action": "status", "status": 403, "code": "AccessDenied", "count": 1000}
NOBODY = 65534


@pytest.fixture
def own(make_devs3, mounts):
    """A devs3 and a prefix of the test's own."""
    server = make_devs3()
    space = Space(server.client(), "e2e", "admin/")

    def start(**options):
        mnt = mounts.start(space.source, server.endpoint, **options).wait_connected()
        os.listdir(mnt.path)  # which names there are is known before an outage
        return mnt

    return server, space, start


def refuse(server, name):
    server.faults({"operation": "PutObject", "key": name, **DENIED})


def owed(mount):
    return {change["path"]: change for change in status(mount)["owed"]}


def parked(mount, name):
    return until(lambda: owed(mount).get(name, {}).get("parked"), 20, f"{name} is parked")


def test_status_of_a_mount_that_owes_nothing(own):
    server, space, start = own
    mnt = start()
    (mnt / "cv.pdf").write_bytes(b"text")
    said = prefixfs("status", mnt.path)
    assert said.status == 0, said
    for words in ("s3://e2e/admin/ on ", "S3:      answers", "commit=close, unlink=close, outage=queue", "owed:    nothing", "kept:    nothing",
                  f"pid {mnt.worker()}"):
        assert words in said.out
    answer = status(mnt)
    assert answer["mounted"] and answer["s3_answers"] and not answer["list_refused"]
    assert answer["owed"] == [] and answer["outage"] is None


def test_status_shows_what_is_owed_in_an_outage(own):
    server, space, start = own
    mnt = start(outage_timeout="1s")
    server.stop()
    (mnt / "cv.pdf").write_bytes(b"x" * 1234)
    (mnt / "naïve\n\"name\"").write_bytes(b"y")

    def tried():
        change = owed(mnt).get("cv.pdf")
        return change and change["attempts"] > 0 and change["last_error"] and change

    change = until(tried, 30, "an attempt has failed")
    assert change["bytes"] == 1234 and change["kind"] == "store" and not change["parked"]
    assert "unavailable" in change["last_error"]
    answer = status(mnt)
    assert set(owed(mnt)) == {"cv.pdf", "naïve\n\"name\""}
    assert not answer["s3_answers"] and answer["breaker"] and answer["owed_bytes"] == 1235
    said = prefixfs("status", mnt.path)
    assert "has not answered for" in said.out and "2 changes" in said.out and "cv.pdf" in said.out and "\\n" in said.out
    server.start()
    said = prefixfs("drain", mnt.path, "--timeout", "60s", "--progress")
    assert said.status == 0, said
    assert "all is in S3" in said.err  # how many were to go depends on who was first
    assert space.get("cv.pdf") == b"x" * 1234
    assert owed(mnt) == {}


def test_drain_waits_until_all_is_in_s3(own):
    server, space, start = own
    server.latency(300)
    mnt = start(commit="journal")
    files = {f"file-{i}": os.urandom(1000) for i in range(40)}
    for name, data in files.items():
        (mnt / name).write_bytes(data)
    assert len(space.names()) < 40
    said = prefixfs("drain", mnt.path)
    assert said.status == 0, said
    assert {name: space.get(name) for name in files} == files
    assert prefixfs("drain", mnt.path).status == 0


def test_drain_ends_with_2_in_an_outage_and_when_time_is_up(own):
    server, space, start = own
    mnt = start(commit="journal", outage_timeout="1s")
    server.stop()
    (mnt / "cv.pdf").write_bytes(b"text")
    until(lambda: status(mnt)["outage"], 20, "the outage is noticed")
    said = prefixfs("drain", mnt.path)
    assert said.status == 2 and "does not answer" in said.err
    with Stopwatch() as watch:
        said = prefixfs("drain", mnt.path, "--timeout", "2s")
    assert said.status == 2 and "in time" in said.err and 1.5 < watch.seconds < 10
    server.start()
    assert prefixfs("drain", mnt.path, "--timeout", "60s").status == 0
    assert space.get("cv.pdf") == b"text"


def test_a_refusal_is_parked_once_and_retried_with_success(own):
    server, space, start = own
    refuse(server, "refused.pdf")
    mnt = start(commit="journal")
    (mnt / "refused.pdf").write_bytes(b"text")
    (mnt / "other.pdf").write_bytes(b"other")
    parked(mnt, "refused.pdf")
    said = prefixfs("drain", mnt.path)
    assert said.status == 1 and "refused.pdf was refused" in said.err and "AccessDenied" in said.err
    assert space.get("other.pdf") == b"other"
    puts = len(server.log().of("PutObject"))
    time.sleep(2)  # the time is the point: nothing is tried by itself
    assert len(server.log().of("PutObject")) == puts
    change = owed(mnt)["refused.pdf"]
    assert change["attempts"] == 1 and "AccessDenied" in change["last_error"]
    said = prefixfs("status", mnt.path)
    assert "1 refused" in said.out and "refused.pdf" in said.out and "AccessDenied" in said.out
    assert (mnt / "refused.pdf").read_bytes() == b"text"
    assert prefixfs("retry", mnt.path, "refused.pdf").status == 0
    until(lambda: owed(mnt)["refused.pdf"]["attempts"] == 2, 10, "it is tried")
    parked(mnt, "refused.pdf")
    server.faults()
    assert prefixfs("retry", mnt.path).status == 0
    assert prefixfs("drain", mnt.path).status == 0
    assert space.get("refused.pdf") == b"text"
    assert prefixfs("retry", mnt.path, "refused.pdf").status == 1


def test_a_refusal_is_still_known_after_a_restart(own):
    server, space, start = own
    refuse(server, "refused.pdf")
    mnt = start(commit="journal")
    (mnt / "refused.pdf").write_bytes(b"text")
    parked(mnt, "refused.pdf")
    mnt.stop()
    said = prefixfs("status", mnt.path)
    assert said.status == 2 and "is not mounted" in said.out and "refused.pdf" in said.out and "AccessDenied" in said.out
    said = prefixfs("status", mnt.path, "--json", "-o", f"cache_dir={mnt.cache_dir}")
    assert said.status == 2 and not said.json()["mounted"] and said.json()["parked"] == 1
    assert prefixfs("drain", mnt.path).status == 2
    assert prefixfs("discard", mnt.path, "refused.pdf", "--yes").status == 2
    mnt.start()
    change = owed(mnt)["refused.pdf"]
    assert change["parked"] and "AccessDenied" in change["last_error"]
    server.faults()
    assert prefixfs("retry", mnt.path, mnt / "refused.pdf").status == 0
    assert prefixfs("drain", mnt.path).status == 0
    assert space.get("refused.pdf") == b"text"


def test_discard_keeps_the_bytes_and_restore_brings_them_back(own):
    server, space, start = own
    space.put("dir/cv.pdf", b"before")
    refuse(server, "cv.pdf")
    mnt = start(commit="journal", ttl="0")
    (mnt / "dir/cv.pdf").write_bytes(b"what was written")
    parked(mnt, "dir/cv.pdf")
    said = prefixfs("discard", mnt.path, "dir/cv.pdf")
    assert said.status == 1 and "--yes" in said.err, "nobody can be asked"
    assert owed(mnt)
    said = prefixfs("discard", mnt.path, mnt / "dir/cv.pdf", "--yes")
    assert said.status == 0, said
    assert owed(mnt) == {}
    assert (mnt / "dir/cv.pdf").read_bytes() == b"before"
    [file] = kept(mnt)
    assert file["path"] == "dir/cv.pdf" and file["bytes"] == 16 and "given up" in file["reason"] and not file["incomplete"]
    assert pathlib.Path(file["file"]).read_bytes() == b"what was written"
    assert pathlib.Path(file["file"] + ".why").stat().st_mode & 0o777 == 0o600
    assert "1 file" in prefixfs("status", mnt.path).out
    server.faults()
    said = prefixfs("conflicts", mnt.path, "show", file["id"][:20])
    assert said.status == 0 and "dir/cv.pdf" in said.out and file["file"] in said.out
    said = prefixfs("conflicts", mnt.path, "restore", file["id"])
    assert said.status == 1 and "exists" in said.err
    assert prefixfs("conflicts", mnt.path, "restore", file["id"], "new dir/copy.pdf").status == 0
    assert prefixfs("drain", mnt.path).status == 0
    assert space.get("new dir/copy.pdf") == b"what was written" and space.get("dir/cv.pdf") == b"before"
    assert kept(mnt) == [] and os.listdir(mnt.cache_dir / "kept") == []


def test_discard_asks_on_a_terminal(own):
    server, space, start = own
    refuse(server, "cv.pdf")
    mnt = start(commit="journal")
    (mnt / "cv.pdf").write_bytes(b"text")
    parked(mnt, "cv.pdf")
    for answer, code in ((b"no\n", 1), (b"yes\n", 0)):
        ours, theirs = pty.openpty()
        os.write(ours, answer)
        said = prefixfs("discard", mnt.path, "cv.pdf", stdin=theirs)
        os.close(ours), os.close(theirs)
        assert said.status == code and "Type yes" in said.err, said
    assert not (mnt / "cv.pdf").exists()
    assert [file["path"] for file in kept(mnt)] == ["cv.pdf"]


def test_discard_of_an_outages_change_and_by_its_number(own):
    server, space, start = own
    mnt = start(commit="journal", outage_timeout="1s")
    server.stop()
    (mnt / "a").write_bytes(b"a")
    (mnt / "b").write_bytes(b"b")
    number = owed(mnt)["a"]["id"]
    assert prefixfs("discard", mnt.path, str(number), "--yes").status == 0
    assert set(owed(mnt)) == {"b"}
    assert prefixfs("discard", mnt.path, "nothing", "--yes").status == 1
    server.start()
    assert prefixfs("drain", mnt.path, "--timeout", "60s").status == 0
    assert space.names() == ["b"]


def test_discard_of_a_removal_brings_the_file_back(own):
    server, space, start = own
    space.put("cv.pdf", b"text")
    server.faults({"operation": "DeleteObject", "key": "cv.pdf", **DENIED})
    mnt = start(commit="journal")
    os.unlink(mnt / "cv.pdf")
    parked(mnt, "cv.pdf")
    assert owed(mnt)["cv.pdf"]["kind"] == "remove"
    assert prefixfs("discard", mnt.path, "cv.pdf", "--yes").status == 0
    until(lambda: (mnt / "cv.pdf").exists(), 10, "it is there again")
    assert (mnt / "cv.pdf").read_bytes() == b"text" and owed(mnt) == {}


def test_a_conflict_is_listed_with_its_reason_and_restored(own):
    server, space, start = own
    space.put("log", b"one")
    mnt = start(commit="journal", outage_timeout="1s")
    assert (mnt / "log").read_bytes() == b"one"
    server.latency(1500)
    with open(mnt / "log", "r+b") as file:
        file.write(b"ONE here")
    space.put("log", b"two there")
    server.latency(0)
    until(lambda: kept(mnt), 30, "the conflict is found")
    [file] = kept(mnt)
    assert file["path"] == "log" and "another client" in file["reason"] and file["version"]
    assert "another client" in prefixfs("conflicts", mnt.path).out
    assert prefixfs("conflicts", mnt.path, "restore", file["id"], "--yes").status == 0
    assert prefixfs("drain", mnt.path).status == 0
    assert space.get("log") == b"ONE here"


def test_restore_does_not_write_below_a_mountpoint_without_a_mount(own):
    server, space, start = own
    refuse(server, "cv.pdf")
    mnt = start(commit="journal")
    (mnt / "cv.pdf").write_bytes(b"text")
    parked(mnt, "cv.pdf")
    assert prefixfs("discard", mnt.path, "cv.pdf", "--yes").status == 0
    [file] = kept(mnt)
    mnt.stop()
    said = prefixfs("conflicts", mnt.path, "restore", file["id"], "-o", f"cache_dir={mnt.cache_dir}")
    assert said.status == 2 and "is not mounted" in said.err
    assert os.listdir(mnt.path) == [] and pathlib.Path(file["file"]).exists()


def test_kept_files_of_earlier_versions_have_no_note(own):
    server, space, start = own
    mnt = start()
    (mnt.cache_dir / "kept/20260101T120000Z-7-cv.pdf").write_bytes(b"text")
    [file] = kept(mnt)
    assert file["path"] is None and file["time"].startswith("2026-01-01T12:00:00")
    assert prefixfs("conflicts", mnt.path, "restore", file["id"]).status == 1
    assert prefixfs("conflicts", mnt.path, "restore", file["id"], "cv.pdf").status == 0
    assert space.get("cv.pdf") == b"text"


def test_something_that_is_not_mounted_is_told_in_one_line(tmp_path):
    for word, more in (("status", []), ("drain", [])):
        said = prefixfs(word, tmp_path, *more)
        assert said.status == 2 and "is not mounted by prefixfs" in said.err and said.err.count("\n") == 1, said
    assert prefixfs("conflicts", tmp_path).status == 1
    said = prefixfs("status", tmp_path, "--fast")
    assert said.status == 1 and "usage: prefixfs status MOUNTPOINT [--json]" in said.err


def test_the_entry_goes_with_a_mount_that_owes_nothing(own):
    server, space, start = own
    mnt = start()
    (mnt / "cv.pdf").write_bytes(b"text")
    assert status(mnt)["mounted"]
    mnt.stop()
    said = prefixfs("status", mnt.path)
    assert said.status == 2 and "is not mounted by prefixfs" in said.err
    assert not (mnt.cache_dir / "control.sock").exists()


def test_a_killed_daemon_leaves_an_entry_that_is_recognised(own):
    server, space, start = own
    mnt = start(commit="journal", outage_timeout="1s")
    server.stop()
    (mnt / "cv.pdf").write_bytes(b"text")
    mnt.kill()
    said = prefixfs("status", mnt.path)
    assert said.status == 2 and "is not mounted: no daemon answers" in said.out and "cv.pdf" in said.out
    server.start()
    mnt.start()
    assert prefixfs("drain", mnt.path, "--timeout", "60s").status == 0
    assert space.get("cv.pdf") == b"text"


def test_status_answers_where_the_mountpoint_is_a_link_and_the_name_is_odd(make_devs3, mounts, tmp_path):
    server = make_devs3()
    directory = tmp_path / "odd, näme-100%"
    directory.mkdir()
    made = type(mounts)(directory)
    mnt = made.start("s3://e2e/odd", server.endpoint)
    try:
        link = tmp_path / "link"
        link.symlink_to(mnt.path)
        assert prefixfs("status", link).status == 0
        assert prefixfs("status", str(mnt.path) + "/").status == 0
    finally:
        made.end()


@pytest.fixture
def long_directory():
    made = pathlib.Path(tempfile.mkdtemp(prefix="prefixfs-e2e."))
    yield made
    shutil.rmtree(made)


def test_a_cache_directory_longer_than_a_socket_address(own, long_directory):
    server, space, start = own
    mnt = start(cache_dir=str(long_directory / ("c" * 200)))
    assert status(mnt)["mounted"]


def test_other_users_are_refused(own, public_mounts):
    server, space, start = own
    mnt = public_mounts.start(space.source, server.endpoint, allow_other=True)
    said = prefixfs("status", mnt.path, user=NOBODY)
    assert said.status == 2 and "another user's" in said.err, said
    assert prefixfs("discard", mnt.path, "x", "--yes", user=NOBODY).status == 2
    said = prefixfs("conflicts", mnt.path, user=NOBODY)
    assert said.status == 2 and "Permission denied" in said.err
    # Where somebody has opened the directory, the daemon itself looks who asks.
    mnt.cache_dir.chmod(0o755)
    (mnt.cache_dir / "control.sock").chmod(0o666)
    said = prefixfs("status", mnt.path, user=NOBODY)
    assert said.status == 2 and "only root and the user who mounts" in said.err, said


def talk(path, data, timeout=20):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(str(path))
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        answer = b""
        try:
            while chunk := connection.recv(65536):
                answer += chunk
        except OSError:
            pass
        return answer


def test_garbage_on_the_socket_does_no_harm(own):
    server, space, start = own
    mnt = start()
    path = mnt.cache_dir / "control.sock"
    assert path.stat().st_mode & 0o777 == 0o600
    for data in (b"", b"\n\n", os.urandom(5000), b"GET / HTTP/1.1\r\n\r\n", b"x" * 2_000_000, b"request=\\q\n\n", b"request=discard\nid=-1\n\n",
                 b"request=status\nuntil=99999999999999999999999\n\n", b"request=nonsense\n\n", b"request=status"):
        answer = talk(path, data)
        assert answer == b"" or b"record=end" in answer, data[:50]
    silent = [socket.socket(socket.AF_UNIX) for _ in range(3)]
    for connection in silent:
        connection.connect(str(path))
    assert prefixfs("status", mnt.path).status == 0
    for connection in silent:
        connection.close()
    (mnt / "cv.pdf").write_bytes(b"text")
    assert space.get("cv.pdf") == b"text" and status(mnt)["mounted"]


def test_many_commands_at_once(own):
    server, space, start = own
    mnt = start()
    codes = []
    threads = [threading.Thread(target=lambda: codes.append(prefixfs("status", mnt.path).status)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0] * 20


def test_help_and_man_name_the_commands():
    for argument in ("--help", "--man"):
        text = subprocess.run([paths.PREFIXFS, argument], capture_output=True, text=True, check=True).stdout
        for word in ("status", "drain", "retry", "discard", "conflicts", "--json" if argument == "--help" else "\\-\\-json"):
            assert word in text


STATE, LAST_ERROR = "user.prefixfs.state", "user.prefixfs.last_error"


def state(path):
    return os.getxattr(path, STATE).decode()


def test_the_state_of_a_file_is_an_extended_attribute(own):
    server, space, start = own
    space.put("theirs", b"text")
    refuse(server, "refused")
    mnt = start(commit="journal", outage_timeout="1s")
    assert state(mnt / "theirs") == "clean" and state(mnt.path) == "clean"
    with fails_with(errno.ENODATA):
        os.getxattr(mnt / "theirs", LAST_ERROR)
    with open(mnt / "refused", "wb") as file:
        assert state(mnt / "refused") == "open"
        file.write(b"text")
    parked(mnt, "refused")
    assert state(mnt / "refused") == "parked"
    assert b"AccessDenied" in os.getxattr(mnt / "refused", LAST_ERROR)
    server.stop()
    (mnt / "late").write_bytes(b"text")
    until(lambda: owed(mnt)["late"]["attempts"] > 0 and owed(mnt)["late"]["last_error"], 20, "an attempt has failed")
    assert state(mnt / "late") == "owed"
    assert b"unavailable" in os.getxattr(mnt / "late", LAST_ERROR)
    server.start()
    until(lambda: state(mnt / "late") == "clean", 60, "it is delivered")
    server.faults()
    prefixfs("retry", mnt.path)
    until(lambda: state(mnt / "refused") == "clean", 20, "it is delivered")


def test_a_conflict_is_the_state_of_the_file_that_lost(own):
    server, space, start = own
    space.put("log", b"one")
    mnt = start()
    file = os.open(mnt / "log", os.O_RDWR)
    os.write(file, b"ONE")
    space.put("log", b"two")
    with fails_with(errno.ESTALE):
        os.fsync(file)
    assert os.getxattr(file, STATE) == b"conflict"
    assert b"another client" in os.getxattr(file, LAST_ERROR)
    with fails_with(errno.ESTALE):
        os.close(file)
    until(lambda: state(mnt / "log") == "clean", 10, "the kernel has let go of what was open")  # it says so after close() has returned
    assert (mnt / "log").read_bytes() == b"two"
    assert [lost["path"] for lost in kept(mnt)] == ["log"]


def test_what_the_mount_tells_is_not_listed_and_not_changed(own):
    server, space, start = own
    mnt = start()
    (mnt / "cv.pdf").write_bytes(b"text")
    for name in ("security.capability", "system.posix_acl_access", "trusted.x"):
        with fails_with(errno.EOPNOTSUPP):
            os.getxattr(mnt / "cv.pdf", name)
    for call in (lambda: os.setxattr(mnt / "cv.pdf", STATE, b"x"), lambda: os.removexattr(mnt / "cv.pdf", STATE)):
        with fails_with(errno.EPERM):
            call()
    assert os.listxattr(mnt / "cv.pdf") == []
    assert state(mnt / "cv.pdf") == "clean", "the kernel still asks"


def reads_of(mount):
    """How often the daemon has read, from /dev/fuse above all."""
    lines = pathlib.Path(f"/proc/{mount.worker()}/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["syscr"])


def test_a_write_is_still_one_request(own):
    """Where getxattr is answered, the kernel would ask for security.capability before each write."""
    server, space, start = own
    mnt = start()
    with open(mnt / "log", "wb", buffering=0) as file:
        file.write(b"x")
        before = reads_of(mnt)
        for _ in range(1000):
            file.write(b"x")
        assert reads_of(mnt) - before < 1500
