"""acls=keep: what another client has granted by an object's ACL survives what the mount does to it. Without it nobody asks, and it is lost."""

import pytest

from support import machine
from support.changes import change_bytes, change_mode
from support.clients import Space
from support.wait import until

SOMEBODY = "a" * 64
EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


def is_public(space, name):
    grants = space.client.get_object_acl(Bucket=space.bucket, Key=space.key(name))["Grants"]
    mine = [grant for grant in grants if grant["Permission"] == "FULL_CONTROL" and "ID" in grant["Grantee"]]
    others = [(grant["Grantee"].get("URI"), grant["Permission"]) for grant in grants if grant not in mine]
    assert len(mine) == 1 and others in ([], [(EVERYBODY, "READ")]), grants
    return bool(others)


def rewrite(path):
    path.write_bytes(b"new")
    return path


def rewrite_in_parts(path):
    path.write_bytes(b"n" * (17 << 20))
    return path


def rename(path):
    return path.rename(path.with_name("renamed.pdf"))


def rename_directory(path):
    return path.parent.rename(path.parent.with_name("moved")) / path.name


CHANGES = [change_bytes, change_mode, rewrite, rewrite_in_parts, rename, rename_directory]


@pytest.fixture
def public(space):
    """dir/file, which another client has made readable by everybody."""
    space.put("dir/file", b"content", ACL="public-read")
    assert is_public(space, "dir/file")
    return space


@pytest.mark.parametrize("change", CHANGES)
def test_an_object_that_everybody_may_read_stays_so(devs3, public, make_mount, change):
    mnt = make_mount(acls="keep")
    changed = change(mnt / "dir" / "file")
    assert is_public(public, str(changed.relative_to(mnt.path)))


@pytest.mark.parametrize("change", CHANGES)
def test_without_it_no_request_is_spent_and_the_acl_is_lost(devs3, public, make_mount, record, change):
    mnt = make_mount()
    recording = record()
    changed = change(mnt / "dir" / "file")
    assert "GetObjectAcl" not in recording.counts()
    assert not is_public(public, str(changed.relative_to(mnt.path)))


def test_it_costs_one_request_for_each_version_that_is_replaced(devs3, public, make_mount, record):
    mnt = make_mount(acls="keep", ttl="1h")
    assert (mnt / "dir" / "file").read_bytes() == b"content"
    recording = record()
    change_bytes(mnt / "dir" / "file")
    assert recording.counts() == {"GetObjectAcl": 1, "PutObject": 1}
    recording = record()
    (mnt / "dir" / "new").write_bytes(b"x")
    assert "GetObjectAcl" not in recording.counts()


def test_with_the_journal_it_goes_with_the_delivery(devs3, public, make_mount):
    mnt = make_mount(acls="keep", commit="journal")
    change_bytes(mnt / "dir" / "file")
    change_mode(mnt / "dir" / "file")
    rename(mnt / "dir" / "file")
    until(lambda: public.exists("dir/renamed.pdf") and public.get("dir/renamed.pdf") == b"contentmore", 20, "it is delivered")
    until(lambda: public.head("dir/renamed.pdf")["Metadata"].get("file-permissions") == "0100600", 20, "its mode too")
    assert is_public(public, "dir/renamed.pdf")


def test_what_a_client_grants_to_a_version_of_the_mount_is_kept(devs3, space, make_mount):
    mnt = make_mount(acls="keep")
    (mnt / "file").write_bytes(b"content")
    space.client.put_object_acl(Bucket=space.bucket, Key=space.key("file"), ACL="public-read")
    change_bytes(mnt / "file")
    assert is_public(space, "file")


def mount_with_rights(make_devs3, mounts, *more):
    rights = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket", *more]
    server = make_devs3({"keys": [{"access": "devs3", "secret": "devs3secret"}, {"access": "app", "secret": "appsecret", "allow": rights}],
                         "buckets": [{"name": "e2e", "acls": True}]})
    space = Space(server.client(), "e2e", "acls/")
    space.put("file", b"content", ACL="public-read")
    return server, space, mounts.start(space.source, server.endpoint, "app", "appsecret", acls="keep").wait_connected()


def test_without_the_right_to_read_it_the_bytes_are_stored_and_the_loss_is_told(make_devs3, mounts):
    _, space, mnt = mount_with_rights(make_devs3, mounts, "s3:PutObjectAcl")
    change_bytes(mnt / "file")
    assert space.get("file") == b"contentmore"
    told = [line for line in mnt.log().splitlines() if "loses the ACL" in line]
    assert len(told) == 1 and "file" in told[0] and "s3:GetObjectAcl" in told[0]


def test_without_the_right_to_set_it_the_bytes_are_stored_and_the_loss_is_told(make_devs3, mounts):
    _, space, mnt = mount_with_rights(make_devs3, mounts, "s3:GetObjectAcl")
    change_bytes(mnt / "file")
    rename(mnt / "file")
    assert space.get("renamed.pdf") == b"contentmore"
    assert f"sent again without the grants of its ACL (x-amz-grant-full-control: id=\"devs3\"; x-amz-grant-read: uri=\"{EVERYBODY}\")" in mnt.log()


def test_a_bucket_whose_acls_are_turned_off_is_written_to_as_always(make_devs3, mounts):
    server = make_devs3({"buckets": [{"name": "e2e", "acls": True}]})
    space = Space(server.client(), "e2e", "acls/")
    space.put("dir/file", b"content", ACL="public-read")
    server.stop()
    server.config = {"buckets": [{"name": "e2e"}]}  # "bucket owner enforced" from now on
    server.start()
    mnt = mounts.start(space.source, server.endpoint, acls="keep").wait_connected()
    change_bytes(mnt / "dir" / "file")
    renamed = rename(mnt / "dir" / "file")
    assert space.get("dir/renamed.pdf") == b"contentmore" == renamed.read_bytes()
    assert not [header for request in server.log() for header in dict(request["headers"]) if header.lower().startswith("x-amz-grant")]
    assert "ACL" not in mnt.log()


def test_the_grant_to_the_owner_of_the_bucket_is_kept(devs3, space, make_mount):
    """What another account has written with bucket-owner-full-control: two accounts have full control."""
    space.put("file", b"content", GrantFullControl=f'id="{SOMEBODY}", id="devs3"')
    change_bytes(make_mount(acls="keep") / "file")
    grants = space.client.get_object_acl(Bucket=space.bucket, Key=space.key("file"))["Grants"]
    assert sorted((grant["Grantee"]["ID"], grant["Permission"]) for grant in grants) == [(SOMEBODY, "FULL_CONTROL"), ("devs3", "FULL_CONTROL")]


@pytest.mark.parametrize("change", CHANGES)
def test_on_a_server_that_others_wrote(moto, mounts, change):
    """moto keeps ACLs; versitygw has none."""
    space = Space(moto.client(), "e2e", f"acls-{change.__name__}/")
    space.put("dir/file", b"content", ACL="public-read")
    mnt = mounts.start(space.source, moto.endpoint, moto.access, moto.secret, acls="keep").wait_connected()
    changed = change(mnt / "dir" / "file")
    assert is_public(space, str(changed.relative_to(mnt.path)))


def test_a_server_without_acls_is_asked_once(versitygw, mounts):
    space = Space(versitygw.client(), "e2e", "acls/")
    space.put("file", b"content")
    mnt = mounts.start(space.source, versitygw.endpoint, versitygw.access, versitygw.secret, acls="keep").wait_connected()
    change_bytes(mnt / "file")
    rename(mnt / "file")
    assert space.get("renamed.pdf") == b"contentmore"
    assert mnt.log().count("there are no ACLs here") == 1
