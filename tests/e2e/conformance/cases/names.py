"""Names and paths: which bytes, how long, and how they are resolved."""

import os
from errno import EINVAL, ENAMETOOLONG, ENOENT

from ..checks import content, equal, make, make_directory, opened, refused
from ..registry import case

ODD = ["with space", " ", "trailing.", "...", "..x", ".hidden", "-dash", "~", "tab\there", "new\nline", "back\\slash", "quote'\"`",
       "plus+percent%41%2F&=?#", "<xml>&amp;", "*?[a]", "ümläut", "e\u0301", "\u00e9", "日本語", "\U0001f5c2", "\ufeff", "\u202e", "con:"]
CONTROL = "".join(map(chr, [*range(1, 32), 127]))
NOT_UTF8 = [b"\xff\xfe", b"half\xc3", b"\x80", b"\xed\xa0\x80", b"latin1 \xe9t\xe9"]


@case
def every_byte_but_the_slash_and_nul_can_be_in_a_name(d):
    for name in ODD:
        make(d / name, name.encode())
    equal(sorted(os.listdir(d)), sorted(ODD))
    for name in ODD:
        equal(content(d / name), name.encode())


@case
def odd_names_are_renamed_and_removed(d):
    for number, name in enumerate(ODD):
        make_directory(d / name, "inner")
        os.unlink(d / name / "inner")
        os.rmdir(d / name)
        make(d / str(number))
        os.rename(d / str(number), d / name)
        os.unlink(d / name)
    equal(os.listdir(d), [])


@case
def control_characters_can_be_in_the_name_of_a_file(d):
    make(d / CONTROL, b"content")
    equal((os.listdir(d), content(d / CONTROL)), ([CONTROL], b"content"))
    os.rename(d / CONTROL, d / f"{CONTROL}renamed")
    os.unlink(d / f"{CONTROL}renamed")
    equal(os.listdir(d), [])


@case
def control_characters_can_be_in_the_name_of_a_directory(d):
    make_directory(d / CONTROL, "inner")
    equal((os.listdir(d), os.listdir(d / CONTROL)), ([CONTROL], ["inner"]))
    os.unlink(d / CONTROL / "inner")
    os.rmdir(d / CONTROL)
    equal(os.listdir(d), [])


@case
def a_name_need_not_be_utf8(d):
    for name in NOT_UTF8:
        path = os.fsencode(d) + b"/" + name
        make(path, name)
        equal(content(path), name)
    equal(sorted(os.listdir(os.fsencode(d))), sorted(NOT_UTF8))


@case
def a_directory_need_not_be_utf8(d):
    for name in NOT_UTF8:
        os.mkdir(os.fsencode(d) + b"/" + name)
    equal(sorted(os.listdir(os.fsencode(d))), sorted(NOT_UTF8))


@case
def what_is_not_there_and_not_utf8_is_enoent(d):
    for name in NOT_UTF8:
        with refused(ENOENT):
            os.stat(os.fsencode(d) + b"/" + name)


@case
def names_differ_by_their_bytes(d):
    for name in ("a", "A", "e\u0301", "\u00e9"):
        make(d / name, name.encode())
    equal([content(d / name) for name in ("a", "A", "e\u0301", "\u00e9")], [b"a", b"A", b"e\xcc\x81", b"\xc3\xa9"])


@case
def a_name_of_255_bytes_works(d):
    for name in ("n" * 255, "é" * 127 + "n"):
        make(d / name, b"content")
        equal((os.listdir(d), content(d / name)), ([name], b"content"))
        os.rename(d / name, d / ("m" * 255))
        os.unlink(d / ("m" * 255))
        os.mkdir(d / name)
        os.rmdir(d / name)


@case
def a_name_of_256_bytes_is_enametoolong(d):
    for name in ("n" * 256, "é" * 128):
        for call in (make, os.mkdir, os.stat, os.unlink, os.rmdir, os.listdir):
            with refused(ENAMETOOLONG):
                call(d / name)


@case
def a_path_of_4095_bytes_works_and_4096_are_enametoolong(d):
    """Its directories are few: "." makes a path long."""
    make(d / "file", b"content")
    fill = 4095 - len(os.fsencode(d)) - len("/file")
    path = f"{d}{'/.' * (fill // 2)}{'/' * (fill % 2)}/file"
    equal((len(os.fsencode(path)), content(path)), (4095, b"content"))
    with refused(ENAMETOOLONG):
        os.stat(f"/{path}")


@case
def a_tree_may_be_deep(d):
    """Each path is short, since each starts where the last one has ended."""
    os.chdir(d)
    for _ in range(100):
        os.mkdir("d")
        os.chdir("d")
    make("file", b"content")
    equal(content("file"), b"content")


@case
def a_tree_may_be_deeper_than_a_path_is_long(d):
    os.chdir(d)
    for _ in range(20):
        os.mkdir("d" * 250)
        os.chdir("d" * 250)
    make("file", b"content")
    equal(content("file"), b"content")


@case
def slashes_and_dots_in_a_path_mean_nothing(d):
    make_directory(d / "directory", "file")
    for path in (f"{d}//directory///file", f"{d}/./directory/./file", f"{d}/directory/../directory/file", f"{d}/directory//..//directory/file"):
        equal(os.stat(path).st_ino, os.stat(d / "directory" / "file").st_ino)


@case
def dotdot_behind_a_link_is_the_parent_of_its_target(d):
    make_directory(make_directory(d / "one", "here") / "two")
    os.symlink("one/two", d / "link")
    os.stat(f"{d}/link/../here")


@case
def the_empty_path_is_enoent(d):
    for call in (os.stat, os.unlink, os.rmdir, os.mkdir, os.listdir, lambda path: os.open(path, os.O_CREAT | os.O_WRONLY)):
        with refused(ENOENT):
            call("")


@case
def a_file_and_a_directory_of_similar_names_sort_as_they_like(d):
    """These sort differently as file names and as the beginnings of longer names."""
    names = ["a", "a-", "a-b", "a.", "a0", "a b"]
    for name in names:
        make(d / name)
    make_directory(d / "a!", "inner")
    equal(sorted(os.listdir(d)), sorted([*names, "a!"]))


@case
def dot_and_dotdot_cannot_be_made_or_removed(d):
    with refused(EINVAL):
        os.rmdir(f"{d}/.")
    for call in (os.mkdir, lambda path: os.open(path, os.O_CREAT | os.O_WRONLY), os.unlink, os.rmdir):
        for name in (".", ".."):
            try:
                call(f"{d}/{name}")
            except OSError:
                continue
            raise AssertionError(f"success with {name}")


@case
def the_current_directory_is_told(d):
    make_directory(d / "directory")
    os.chdir(d / "directory")
    equal(os.getcwd(), str(d / "directory"))
    with opened(d) as parent:
        os.fchdir(parent)
    equal(os.getcwd(), str(d))
