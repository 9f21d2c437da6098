"""Editors, pagers and what edits by itself, on a mount."""

import os
import subprocess

import pytest

from support import machine
from support.programs import Terminal, finish, run, start
from support.wait import until

TEXT = "".join(f"line {number} of old text\n" for number in range(1, 101))
CHANGED = TEXT.replace("old", "new")


@pytest.fixture
def text(place):
    path = place / "notes.txt"
    path.write_text(TEXT)
    path.chmod(0o640)
    return path


def assert_changed(place, text, *others, mode=0o640):
    place.come_back()
    assert text.stat().st_mode & 0o777 == mode
    assert text.read_text() == CHANGED
    assert sorted(os.listdir(place.path)) == sorted(["notes.txt", *others])


def vim(*words, **more):
    machine.require_program("vim")
    return run("vim", "-N", "-u", "NONE", "-i", "NONE", "-es", *words, stdin=subprocess.DEVNULL, **more)


@pytest.mark.parametrize("backupcopy", ["yes", "no"])
def test_vim_writes_with_swap_and_backup_files(place, text, backupcopy):
    """backupcopy=yes writes the file itself, =no writes a new one and renames the old one to be its backup."""
    vim("-c", f"set swapfile directory=. backup backupskip= backupcopy={backupcopy}", "-c", "edit", "-c", "%s/old/new/", "-c", "write",
        "-c", "quit", text, cwd=place.path)
    assert_changed(place, text, "notes.txt~")
    assert (place / "notes.txt~").read_text() == TEXT


def test_vim_keeps_an_undo_file_and_no_backup(place, text):
    vim("-c", "set undofile undodir=. fsync", "-c", "%s/old/new/", "-c", "wq", text, cwd=place.path)
    assert_changed(place, text, ".notes.txt.un~")
    vim("-c", "set undofile undodir=.", "-c", "rundo .notes.txt.un~", "-c", "undo", "-c", "wq!", text, cwd=place.path)
    assert text.read_text() == TEXT


def test_vim_recovers_from_the_swap_file_of_a_killed_one(place, text):
    machine.require_program("vim")
    swap = place / ".notes.txt.swp"
    # vim-tiny has no jobs: it is fed from a pipe that stays open.
    editor = start("vim", "-N", "-u", "NONE", "-i", "NONE", "-es", "-c", "set directory=.", text, cwd=place.path, stdin=subprocess.PIPE)
    try:
        editor.stdin.write("%s/old/new/\npreserve\n")
        editor.stdin.flush()
        until(lambda: swap.exists() and b"new text" in swap.read_bytes(), 20, "the change is in the swap file")
    finally:
        editor.kill()
        editor.communicate()
    assert text.read_text() == TEXT
    place.come_back()
    vim("-c", "set directory=.", "-r", text, "-c", "wq!", cwd=place.path)
    assert text.read_text() == CHANGED and swap.exists()


def test_vim_writes_by_keys_on_a_terminal(place, text):
    machine.require_program("vim")
    with Terminal("vim", "-N", "-u", "NONE", "-i", "NONE", text, cwd=place.path) as terminal:
        terminal.expect("line 5 of old text")
        terminal.type(":%s/old/new/\r")
        terminal.expect("100 substitutions")
        assert (place / ".notes.txt.swp").exists()
        terminal.type(":wq\r")
        terminal.end()
    assert_changed(place, text)


def test_nano_writes_with_a_backup_and_a_lock_file(place, text):
    machine.require_program("nano")
    with Terminal("nano", "--ignorercfiles", "--backup", "--locking", text, cwd=place.path) as terminal:
        terminal.expect("line 3 of old text")
        assert (place / ".notes.txt.swp").exists()
        terminal.type("first \x13")  # ^S writes
        terminal.expect("Wrote 100 lines")
        terminal.type("\x18")  # ^X leaves
        terminal.end()
    place.come_back()
    assert text.read_text() == "first " + TEXT and (place / "notes.txt~").read_text() == TEXT
    assert text.stat().st_mode & 0o777 == 0o640 and sorted(os.listdir(place.path)) == ["notes.txt", "notes.txt~"]


def test_ed_and_ex(place, text):
    machine.require_program("ed")
    run("ed", "-s", text, input="1,$s/old/new/\nw\nq\n")
    assert_changed(place, text)
    vim("-c", "%s/new/old/", "-c", "x", text)
    assert text.read_text() == TEXT


def test_sed_perl_and_awk_edit_in_place(place, text):
    run("sed", "-i.bak", "s/old/new/", text)
    assert_changed(place, text, "notes.txt.bak")
    assert (place / "notes.txt.bak").read_text() == TEXT
    run("sed", "-i", "s/new/old/", text)
    machine.require_program("perl")
    run("perl", "-pi", "-e", "s/old/new/", text)
    assert_changed(place, text, "notes.txt.bak")
    run("sh", "-c", "awk '{ sub(/new/, \"old\"); print }' notes.txt > notes.tmp && mv -f notes.tmp notes.txt", cwd=place.path)
    assert text.read_text() == TEXT


def test_patch_changes_makes_and_removes_files(place, tmp_path):
    machine.require_program("patch")
    for side, files in (("a", {"changed": TEXT, "removed": "x\n"}), ("b", {"changed": CHANGED, "sub/made": "y\n"})):
        for name, content in files.items():
            path = tmp_path / side / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    difference = run("diff", "-urN", "a", "b", cwd=tmp_path, status=1)
    run("cp", "-r", tmp_path / "a", place / "tree")
    run("patch", "-p1", "-b", cwd=place / "tree", input=difference)
    place.come_back()
    assert (place / "tree" / "changed.orig").read_text() == TEXT
    run("diff", "-r", "--exclude=*.orig", tmp_path / "b", place / "tree")
    run("patch", "-p1", "-R", cwd=place / "tree", input=difference)
    assert not (place / "tree" / "sub" / "made").exists()
    run("diff", "-r", "--exclude=*.orig", "--exclude=sub", tmp_path / "a", place / "tree")
    (place / "tree" / "changed").write_text("something else\n")
    run("patch", "-p1", "-N", cwd=place / "tree", input=difference, status=1)
    assert (place / "tree" / "changed.rej").exists() and (place / "tree" / "sub" / "made").read_text() == "y\n"


@pytest.mark.parametrize("pager", ["less", "more"])
def test_pagers_show_a_file_page_by_page(place, text, pager):
    machine.require_program(pager)
    with Terminal(pager, text, cwd=place.path) as terminal:
        terminal.expect("line 10 of old text")
        terminal.type(" ")
        terminal.expect("line 40 of old text")
        if pager == "less":
            terminal.type("/line 90\r")
            terminal.expect("line 90 of old text")
        terminal.type("q")
        terminal.end()


def test_less_and_tail_follow_a_file_that_grows(place):
    machine.require_program("less")
    path = place / "log"
    path.write_text("first\n")
    with Terminal("less", "+F", path) as less, Terminal("tail", "-n", "1", "-F", "--max-unchanged-stats=1", path) as tail:
        for terminal in (less, tail):
            terminal.expect("first")
        with open(path, "a") as log:
            log.write("second\n")
            log.flush()
            for terminal in (less, tail):
                terminal.expect("second")
        os.rename(path, place / "log.1")
        path.write_text("after the rotation\n")
        tail.expect("after the rotation")


def test_ten_programs_append_to_one_log(place):
    programs = [start("sh", "-c", f"for i in 0 1 2 3 4 5 6 7 8 9; do echo {name}$i >> log; done", cwd=place.path) for name in "abcdefghij"]
    for program in programs:
        finish(program)
    place.come_back()
    assert sorted((place / "log").read_text().split()) == sorted(f"{name}{number}" for name in "abcdefghij" for number in range(10))
