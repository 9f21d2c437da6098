"""Names that are keys, and names that cannot be."""

import json
import os
import shutil
import subprocess
from errno import EILSEQ, EINVAL, ENAMETOOLONG

import botocore.exceptions
import pytest

from support import paths
from support.errnos import fails_with
from support.wait import until

NAMES = ["plain.txt", "with space", "ümläut – 日本語 🗂.pdf", "a" * 255, "é" * 127, ".hidden", "trailing.", " lead",
         "plus+percent%41&=?#", "quote'\"`", "back\\slash", "tab\there", "new\nline", "\x01\x7f", "<xml>&amp;", "..x", "*?[a]", "~",
         "-dash", "e\u0301", "\u00e9"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_that_are_keys(folder, folder_space, name):
    (folder / name).write_bytes(name.encode())
    assert os.listdir(folder) == [name]
    assert (folder / name).read_bytes() == name.encode()
    assert folder_space.get(name) == name.encode()
    os.unlink(folder / name)
    assert folder_space.names() == [""]


def test_names_of_unicode_are_not_normalised(folder):
    for name in ("\u00e9", "e\u0301"):
        (folder / name).write_text(ascii(name))
    assert sorted(os.listdir(folder)) == ["e\u0301", "\u00e9"]


def test_names_that_cannot_be_keys(folder):
    with fails_with(EILSEQ):
        os.close(os.open(os.fsencode(folder) + b"/\xff\xfe", os.O_CREAT | os.O_WRONLY))
    with fails_with(EILSEQ):
        os.mkdir(os.fsencode(folder) + b"/half\xc3")
    long = folder / ("a" * 256)
    for call in (lambda: long.write_bytes(b""), lambda: os.mkdir(folder / ("é" * 128)), lambda: os.stat(long)):
        with fails_with(ENAMETOOLONG):
            call()
    assert os.listdir(folder) == []


def test_a_path_longer_than_a_key_is_refused(folder):
    path = folder
    with fails_with(ENAMETOOLONG):
        for _ in range(6):
            path = path / ("d" * 200)
            path.mkdir()


LONG = "l" * 400
# Of each key the path under which it is shown.
ODD_KEYS = {
    "a//b": "a/@s3-empty/b",
    "/leading": "@s3-empty/leading",
    "x/../y": "x/@s3-dotdot/y",
    "x/./y": "x/@s3-dot/y",
    "@s3-dot": "@s3-name-@s3-dot",
    "both": "@s3-object-both",
    "content/": "content/@s3-content",
    LONG: None,
}


def path_of(mnt, key):
    """Where the key is in the mount."""
    if ODD_KEYS[key]:
        return mnt / ODD_KEYS[key]
    shown = [name for name in os.listdir(mnt.path) if name.startswith("@s3-long-")]
    assert len(shown) == 1 and len(shown[0]) == 255
    return mnt / shown[0]


@pytest.mark.parametrize("key", ODD_KEYS, ids=lambda key: key[:20])
def test_every_key_has_a_name(devs3, make_mount, space, key):  # other servers refuse some of them: below
    space.put("plain", b"content")
    space.put("both/inner", b"inner")
    space.put(key, b"odd", Metadata={"theirs": "kept"})
    mnt = make_mount()
    path = path_of(mnt, key)
    assert os.path.basename(path) in os.listdir(os.path.dirname(path))
    assert os.stat(path).st_size == 3
    with open(path, "rb") as file:
        assert file.read() == b"odd"
    subprocess.run(["mv", path, mnt / "good"], check=True, timeout=60)
    assert space.get("good") == b"odd" and space.head("good")["Metadata"]["theirs"] == "kept"
    assert key not in space.names()
    space.put(key, b"odd again")
    until(lambda: os.path.exists(path) and os.stat(path).st_size == 9, 5, "the key is seen again")
    subprocess.run(["rm", path], check=True, timeout=60)
    assert key not in space.names()
    assert space.get("plain") == b"content" and space.get("both/inner") == b"inner"
    assert "cannot be a file name" in mnt.log()


@pytest.mark.parametrize("key", ODD_KEYS, ids=lambda key: key[:20])
def test_keys_that_are_not_paths_do_no_harm(mnt, space, key):
    """Whatever a server makes of them, the rest of the directory works, and nothing outside of it can be reached."""
    space.put("plain", b"content")
    try:
        space.put(key, b"odd")
    except botocore.exceptions.ClientError as refused:  # versitygw keeps objects as files
        assert refused.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 409)
    assert "plain" in os.listdir(mnt.path)
    for directory, _, files in os.walk(mnt.path):
        assert ".." not in files and "" not in files
        assert os.path.realpath(directory).startswith(str(mnt.path))
    assert (mnt / "plain").read_bytes() == b"content"


def test_a_name_that_is_a_file_and_a_directory(devs3, mnt, space):  # versitygw cannot store the pair
    space.put("both", b"an object")
    space.put("both/inner", b"inner")
    assert (mnt / "both" / "inner").read_bytes() == b"inner"
    assert sorted(os.listdir(mnt.path)) == ["@s3-object-both", "both"]
    assert (mnt / "@s3-object-both").read_bytes() == b"an object"
    shutil.rmtree(mnt / "both")
    assert space.names() == ["both"]
    until(lambda: os.listdir(mnt.path) == ["both"], 5, "the object has its name again")
    assert (mnt / "both").read_bytes() == b"an object"


def test_names_that_look_like_escapes(folder, folder_space):
    (folder / "@s3-foo").write_bytes(b"ordinary")
    (folder / "@s3-name-@s3-dot").write_bytes(b"stands for another")
    assert sorted(os.listdir(folder)) == ["@s3-foo", "@s3-name-@s3-dot"]
    assert folder_space.get("@s3-foo") == b"ordinary"
    assert folder_space.get("@s3-dot") == b"stands for another"
    for name in ("@s3-content", "@s3-object-@s3-foo", "@s3-empty"):
        with fails_with(EINVAL):
            (folder / name).write_bytes(b"x")


def test_status_counts_the_keys_that_are_shown_under_other_names(devs3, mnt, space):
    space.put("a//b", b"x")
    space.put("c/..", b"x")
    for directory, _, _ in os.walk(mnt.path):
        os.listdir(directory)
    status = json.loads(subprocess.run([paths.PREFIXFS, "status", "--json", mnt.path], check=True, capture_output=True, timeout=60).stdout)
    assert status["escaped_names"] == 2
    assert "2 keys that cannot be file names" in subprocess.run([paths.PREFIXFS, "status", mnt.path], check=True, capture_output=True, text=True, timeout=60).stdout


def test_markers_of_directories_are_not_files(mnt, space):
    space.put("dir/", b"")
    space.put("dir/file", b"x")
    assert os.listdir(mnt.path) == ["dir"] and os.listdir(mnt / "dir") == ["file"]


def test_names_that_sort_around_the_slash(mnt, space):
    """S3 sorts "a-", "a/", "a0" by bytes; every one is listed once."""
    names = ["a", "a-", "a-b", "a.", "a0", "b"]
    for name in names:
        space.put(name, b"x")
    space.put("a!/inner", b"x")
    assert sorted(os.listdir(mnt.path)) == sorted(names + ["a!"])
