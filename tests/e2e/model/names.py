"""The names that a run is about: few, so that operations meet."""

DIRECTORIES = ["d0", "d1", "d0/s"]
FILES = [*(f"f{i}" for i in range(5)), *(f"d0/f{i}" for i in range(4)), *(f"d1/f{i}" for i in range(3)), "d0/s/f0", "d0/s/f1"]


def temporary(path):
    """What an editor calls it before the rename."""
    directory, _, name = path.rpartition("/")
    return f"{directory}/.{name}.tmp".lstrip("/")


TEMPORARY = [temporary(path) for path in FILES]
