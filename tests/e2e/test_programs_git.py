"""git, with its repository on a mount."""

import os
import subprocess

import pytest

from support import machine
from support.programs import run
from support.wait import until

SETTINGS = {
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "init.defaultBranch", "GIT_CONFIG_VALUE_0": "main",
    "GIT_CONFIG_KEY_1": "maintenance.auto", "GIT_CONFIG_VALUE_1": "false",  # nothing goes on in the background when a command has ended
    "GIT_AUTHOR_NAME": "T", "GIT_AUTHOR_EMAIL": "t@example.org", "GIT_COMMITTER_NAME": "T", "GIT_COMMITTER_EMAIL": "t@example.org",
}
FILES = 60


def git(repository, *words, **more):
    machine.require_program("git")
    return run("git", "-C", repository, *words, env={**os.environ, **SETTINGS}, **more)


def commit(repository, message):
    git(repository, "add", "--all")
    git(repository, "commit", "-q", "-m", message)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    repository = tmp_path_factory.mktemp("git") / "origin"
    repository.mkdir()
    git(repository, "init", "-q")
    for number in range(FILES):
        path = repository / f"d{number % 4}" / f"{number}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{number} line {line}\n" for line in range(number + 5)))
    commit(repository, "first")
    (repository / "run.sh").write_text("#!/bin/sh\necho it runs\n")
    (repository / "run.sh").chmod(0o755)
    commit(repository, "second")
    return repository


@pytest.fixture
def origin(made_once, tmp_path):
    """A repository on the local disk: files in directories, one of them executable, two commits."""
    run("cp", "-a", made_once, tmp_path / "origin")
    return tmp_path / "origin"


@pytest.fixture
def clone(place, origin):
    git(place.path, "clone", "-q", "--no-local", origin, "clone")
    return place / "clone"


def assert_whole(repository):
    git(repository, "fsck", "--strict", "--full")
    assert git(repository, "status", "--porcelain") == ""


def test_a_clone_is_whole_and_clean_after_a_remount(place, origin, clone):
    assert_whole(clone)
    place.come_back()
    assert_whole(clone)
    run("diff", "-r", "--exclude=.git", origin, clone)
    assert run(clone / "run.sh") == "it runs\n"
    assert git(clone, "rev-parse", "HEAD") == git(origin, "rev-parse", "HEAD")


def test_a_clone_of_a_clone_beside_it(place, clone):
    """A local clone takes hard links where it gets them, and copies otherwise."""
    git(place.path, "clone", "-q", clone, "second")
    assert_whole(place / "second")


def test_branches_are_merged_and_a_conflict_is_resolved(place, clone):
    git(clone, "switch", "-q", "-c", "topic")
    (clone / "d0" / "0.txt").write_text("from topic\n")
    (clone / "topic.txt").write_text("topic\n")
    commit(clone, "topic")
    git(clone, "switch", "-q", "main")
    assert not (clone / "topic.txt").exists()
    (clone / "d0" / "0.txt").write_text("from main\n")
    commit(clone, "main")
    git(clone, "merge", "-q", "topic", status=1)
    assert "<<<<<<<" in (clone / "d0" / "0.txt").read_text()
    (clone / "d0" / "0.txt").write_text("from both\n")
    commit(clone, "merged")
    place.come_back()
    assert_whole(clone)
    assert (clone / "d0" / "0.txt").read_text() == "from both\n" and (clone / "topic.txt").exists()
    assert git(clone, "rev-list", "--count", "HEAD").strip() == "5"


def test_stash_rebase_reset_and_clean(clone):
    (clone / "d1" / "1.txt").write_text("stashed\n")
    git(clone, "stash", "-q")
    assert git(clone, "status", "--porcelain") == ""
    git(clone, "stash", "pop", "-q")
    assert git(clone, "status", "--porcelain") == " M d1/1.txt\n"
    commit(clone, "stashed")
    git(clone, "switch", "-q", "-c", "topic", "HEAD~1")
    for number in range(3):
        (clone / f"new{number}").write_text(f"{number}\n")
        commit(clone, f"new {number}")
    git(clone, "rebase", "-q", "main")
    assert git(clone, "rev-list", "--count", "HEAD").strip() == "6"
    git(clone, "reset", "-q", "--hard", "main")
    assert not (clone / "new0").exists()
    (clone / "rubbish" / "deep").mkdir(parents=True)
    (clone / "rubbish" / "deep" / "file").write_text("x")
    git(clone, "clean", "-q", "-f", "-d")
    assert not (clone / "rubbish").exists()
    assert_whole(clone)


def test_gc_packs_everything_and_loses_nothing(place, clone):
    for number in range(10):
        (clone / "d2" / "2.txt").write_text(f"{number}\n" * 100)
        commit(clone, f"change {number}")
    history = git(clone, "log", "--format=%H %T")
    git(clone, "gc", "-q", "--prune=now")
    objects = clone / ".git" / "objects"
    assert [path.name for path in objects.iterdir() if len(path.name) == 2] == []
    assert len(list((objects / "pack").glob("*.pack"))) == 1
    place.come_back()
    assert git(clone, "log", "--format=%H %T") == history
    assert_whole(clone)


def test_a_worktree_is_made_used_and_removed(place, clone):
    git(clone, "worktree", "add", "-q", place / "tree", "-b", "topic")
    (place / "tree" / "topic.txt").write_text("topic\n")
    commit(place / "tree", "topic")
    place.come_back()
    assert_whole(place / "tree")
    git(clone, "merge", "-q", "topic")
    assert (clone / "topic.txt").read_text() == "topic\n"
    git(clone, "worktree", "remove", place / "tree")
    assert not (place / "tree").exists() and "tree" not in git(clone, "worktree", "list").replace(str(clone), "")


def test_pushes_into_a_bare_repository(place, origin, tmp_path):
    bare = place / "bare.git"
    git(place.path, "init", "-q", "--bare", bare)
    for number in range(5):
        (origin / "pushed").write_text(f"{number}\n")
        commit(origin, f"push {number}")
        git(origin, "push", "-q", bare, "main", f"main:refs/heads/b{number}")
    place.come_back()
    git(bare, "fsck", "--strict", "--full")
    git(tmp_path, "clone", "-q", "--no-local", bare, "fetched")
    run("diff", "-r", "--exclude=.git", origin, tmp_path / "fetched")
    git(origin, "push", "-q", bare, "--delete", "b0", "b1")
    git(bare, "pack-refs", "--all")
    place.come_back()
    assert git(bare, "branch", "--list", "--format=%(refname:short)").split() == ["b2", "b3", "b4", "main"]


def says(repository, *words):
    """None where git fails: for a second it may see the branch, and not yet the directory of its newest object."""
    done = subprocess.run(["git", "-C", repository, *words], env={**os.environ, **SETTINGS}, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def test_another_host_sees_the_repository_that_this_one_has_made(place, clone):
    (clone / "here").write_text("here\n")
    commit(clone, "here")
    there = place.on_another_host() / "clone"
    assert_whole(there)
    (there / "there").write_text("there\n")
    commit(there, "there")
    until(lambda: says(clone, "log", "-1", "--format=%s") == "there" and says(clone, "status", "--porcelain") == "", 5, "the new commit is seen")
    assert (clone / "there").read_text() == "there\n"


def test_a_stale_lock_refuses_a_second_writer(clone):
    (clone / ".git" / "index.lock").touch()
    (clone / "x").write_text("x")
    git(clone, "add", "x", status=128)
    (clone / ".git" / "index.lock").unlink()
    git(clone, "add", "x")


def test_git_mv_of_a_directory(clone):
    git(clone, "mv", "d3", "moved")
    commit(clone, "moved")
    assert_whole(clone)
    assert not (clone / "d3").exists() and len(list((clone / "moved").iterdir())) == FILES // 4


def test_symbolic_links_are_checked_out_and_committed(place, origin):
    os.symlink("d0/0.txt", origin / "link")
    commit(origin, "link")
    git(place.path, "clone", "-q", "--no-local", origin, "clone")
    clone = place / "clone"
    assert (clone / "link").is_symlink() and os.readlink(clone / "link") == "d0/0.txt"
    os.symlink("nowhere", clone / "other")
    commit(clone, "other")
    place.come_back()
    assert_whole(clone)
    assert git(clone, "ls-files", "--stage", "other").startswith("120000 ") and os.readlink(clone / "other") == "nowhere"
