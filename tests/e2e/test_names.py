"""Names that are keys, and names that cannot be."""

import os
from errno import EILSEQ, ENAMETOOLONG

import pytest

from support.errnos import fails_with

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


ODD_KEYS = ["a//b", "x/../y", "x/./y", "/leading"]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_keys_that_are_not_paths_do_no_harm(mnt, space, key):
    """They may be shown escaped or be left out; the rest of the directory works, and nothing outside of it can be reached."""
    space.put(key, b"odd")
    space.put("plain", b"content")
    assert "plain" in os.listdir(mnt.path)
    for directory, _, files in os.walk(mnt.path):
        assert ".." not in files and "" not in files
        assert os.path.realpath(directory).startswith(str(mnt.path))
    assert (mnt / "plain").read_bytes() == b"content"


def test_a_name_that_is_a_file_and_a_directory(devs3, mnt, space):  # versitygw cannot store the pair
    space.put("both", b"an object")
    space.put("both/inner", b"inner")
    assert (mnt / "both" / "inner").read_bytes() == b"inner"
    assert os.listdir(mnt.path).count("both") == 1
    assert space.get("both") == b"an object"


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
