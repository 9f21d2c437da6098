"""attrs=exact: a listing shows what each object says of itself, for one HEAD per version."""

import os
import stat

from support.clients import Space
from support.wait import until

NAMES = [f"file{number:03}" for number in range(100)]


def fill(space):
    for number, name in enumerate(NAMES):
        space.put(f"dir/{name}", b"x", Metadata={"file-permissions": f"0100{600 + number % 8}", "file-owner": "1234", "file-group": "5678", "file-mtime": f"{1_600_000_000 + number}s"})
    space.put("dir/link", b"file000", Metadata={"file-permissions": "0120777"})
    space.put("dir/sub/", b"", Metadata={"file-permissions": "0040711"})


def listed(path):
    with os.scandir(path) as entries:
        found = {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
    return found


def assert_exact(found):
    assert sorted(found) == sorted([*NAMES, "link", "sub"])
    for number, name in enumerate(NAMES):
        expected = (0o100600 + number % 8, 1234, 5678, 1_600_000_000 + number)
        assert (found[name].st_mode, found[name].st_uid, found[name].st_gid, int(found[name].st_mtime)) == expected, name
    assert stat.S_ISLNK(found["link"].st_mode) and found["link"].st_size == 7
    assert found["sub"].st_mode == 0o040711


def test_a_listing_shows_each_objects_own_attributes(make_mount, space):
    fill(space)
    mnt = make_mount(attrs="exact")
    assert_exact(listed(mnt.path / "dir"))
    assert os.readlink(mnt.path / "dir" / "link") == "file000"
    assert mnt.path.joinpath("dir", "file000").read_bytes() == b"x"


def test_each_version_is_asked_for_once(make_mount, space, record):
    fill(space)
    mnt = make_mount(attrs="exact")
    asked = record()
    assert_exact(listed(mnt.path / "dir"))
    assert asked.counts()["HeadObject"] == 102
    mnt.remount()
    asked = record()
    assert_exact(listed(mnt.path / "dir"))
    assert asked.counts().get("HeadObject", 0) == 0, "known over remounts"
    space.put("dir/file007", b"x", Metadata={"file-permissions": "0100607", "file-owner": "1234", "file-group": "5678", "file-mtime": "1600000007s", "new": "yes"})
    space.put("dir/file008", b"other", Metadata={"file-permissions": "0100600", "file-owner": "1234", "file-group": "5678", "file-mtime": "1600000008s"})
    asked = record()
    until(lambda: listed(mnt.path / "dir")["file008"].st_size == 5, 10, "the listing is asked for again")
    assert asked.counts()["HeadObject"] in (1, 2), "of what another client has written since; the same bytes may be the same version"


def test_where_s3_does_not_tell_the_names_are_shown_all_the_same(make_devs3, mounts):
    server = make_devs3()
    space = Space(server.client(), "e2e", "exact/")
    fill(space)
    server.faults({"operation": "HeadObject", "key": "file", "action": "status", "status": 403, "code": "AccessDenied", "count": 1000})
    mnt = mounts.start(space.source, server.endpoint, attrs="exact")
    found = listed(mnt.path / "dir")
    assert sorted(found) == sorted([*NAMES, "link", "sub"])
    assert found["file000"].st_mode == 0o100644


def test_df_shows_the_size_that_was_asked_for_and_what_the_cache_holds(make_mount):
    mnt = make_mount(size="10G")
    (mnt.path / "file").write_bytes(os.urandom(5 << 20))
    seen = os.statvfs(mnt.path)
    total, used = seen.f_blocks * seen.f_frsize, (seen.f_blocks - seen.f_bfree) * seen.f_frsize
    assert total == 10 << 30
    assert 5 << 20 <= used < 6 << 20
    default = os.statvfs(make_mount().path)
    assert default.f_blocks * default.f_frsize == 1 << 50
