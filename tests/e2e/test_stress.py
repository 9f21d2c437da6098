"""Many processes change one tree at once. Afterwards the mount, a mount that knows nothing, and the bucket must agree, and every file must be whole. The
seed is printed; PREFIXFS_SEED gives another one, PREFIXFS_STRESS_OPERATIONS another length."""

import multiprocessing
import os
import random
from errno import EXDEV

import pytest

from stress.actor import Actor, Unexpected
from stress.views import differences, shown, stored, without_targets
from support import admin
from support.wait import until

PROCESSES = 6
OPERATIONS = int(os.environ.get("PREFIXFS_STRESS_OPERATIONS", "150"))  # of each
AGREE_SECONDS = 10


def directories_move(root):
    """Whether rename of a directory is supported."""
    os.mkdir(root / "before")
    try:
        os.rename(root / "before", root / "after")
    except OSError as error:
        if error.errno != EXDEV:
            raise
        os.rmdir(root / "before")
        return False
    os.rmdir(root / "after")
    return True


def act(actor, answers):
    try:
        actor.run(OPERATIONS)
        answers.put((actor.number, None))
    except Unexpected as finding:
        answers.put((actor.number, str(finding)))


def run_actors(root, seed):
    """What they found."""
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    move = directories_move(root)
    actors = [Actor(root, number, seed, move) for number in range(PROCESSES)]
    processes = [context.Process(target=act, args=(actor, answers), daemon=True) for actor in actors]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    said = []
    while not answers.empty():
        said.append(answers.get())
    assert sorted(number for number, _ in said) == list(range(PROCESSES)), f"{said}, {[process.exitcode for process in processes]}"
    return [finding for _, finding in said if finding]


def must_agree(what, one, other):
    told = differences(one, other)
    assert not told, f"{what}: {len(told)} differ\n" + "\n".join(told[:20])


@pytest.mark.parametrize("commit", ["close", "journal"])
def test_what_many_processes_leave_is_whole_and_everywhere_the_same(make_mount, space, commit):
    seed = int(os.environ.get("PREFIXFS_SEED", random.SystemRandom().randrange(1 << 31)))
    print(f"PREFIXFS_SEED={seed}")
    mnt = make_mount(commit=commit)
    findings = run_actors(mnt.path, seed)
    assert not findings, "\n".join(findings)
    drained = admin.prefixfs("drain", mnt.path, "--timeout", "60s")
    assert drained.status == 0, drained
    here = shown(mnt.path)
    assert here, "nothing is left to compare"
    must_agree("the mount / the bucket", without_targets(here), without_targets(stored(space)))
    must_agree("the mount / one that knows nothing", here, shown(make_mount().path))
    must_agree("the mount / the mount, looked at again", here, shown(mnt.path))
    until(lambda: space.uploads() == [], AGREE_SECONDS, "no multipart upload is left open")
    assert admin.kept(mnt) == []
    assert [line for line in mnt.log().splitlines() if " error " in line] == []
