"""Python's processes on a mount: shared memory, locks, imports, packages."""

import concurrent.futures
import fcntl
import mmap
import os
import subprocess
import sys
import zipfile

import pytest

from support.programs import finish, run, start


def test_mmap_reads_and_writes(place):
    path = place / "mapped"
    path.write_bytes(bytes(3 * mmap.PAGESIZE))
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[mmap.PAGESIZE - 2:mmap.PAGESIZE + 2] = b"span"
        mapped.flush()
        assert path.read_bytes()[mmap.PAGESIZE - 2:mmap.PAGESIZE + 2] == b"span"
        code = "import mmap, sys; f = open(sys.argv[1], 'r+b'); m = mmap.mmap(f.fileno(), 0); m[:5] = b'other'; m.flush()"
        run(sys.executable, "-c", code, path)
        assert mapped[:5] == b"other" and mapped.find(b"span") == mmap.PAGESIZE - 2
        mapped[-1:] = b"!"
    place.come_back()
    data = path.read_bytes()
    assert data[:5] == b"other" and data[-1:] == b"!" and b"span" in data and len(data) == 3 * mmap.PAGESIZE
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert mapped[:5] == b"other"


LOCKER = """
import fcntl, sys
path, how = sys.argv[1:]
for turn in range(20):
    with open(path, "r+") as file:
        getattr(fcntl, how)(file, fcntl.LOCK_EX)
        number = int(file.read() or 0)
        file.seek(0)
        file.write(str(number + 1))
        file.flush()
        getattr(fcntl, how)(file, fcntl.LOCK_UN)
"""


@pytest.mark.parametrize("how", ["flock", "lockf"])
def test_locks_make_processes_take_turns(place, how):
    path = place / "counter"
    path.touch()
    programs = [start(sys.executable, "-c", LOCKER, path, how) for _ in range(4)]
    for program in programs:
        finish(program)
    place.come_back()
    assert path.read_text() == "80"


@pytest.mark.parametrize("how", ["flock", "lockf"])
def test_a_lock_that_is_held_is_refused_until_its_process_ends(place, how):
    path = place / "lock"
    path.touch()
    code = f"import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.{how}(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
    holder = start(sys.executable, "-c", code, path, stdin=subprocess.PIPE)
    assert holder.stdout.readline() == "held\n"
    with open(path, "r+") as file:
        with pytest.raises(BlockingIOError):
            getattr(fcntl, how)(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        holder.kill()
        holder.communicate()
        getattr(fcntl, how)(file, fcntl.LOCK_EX)


def test_threads_and_processes_write_many_files(place):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: (place / f"t{number}").write_bytes(b"%d" % number * 1000), range(64)))
    code = "import sys, pathlib\nfor n in range(16): (pathlib.Path(sys.argv[1]) / f'p{sys.argv[2]}.{n}').write_text(str(n))"
    for program in [start(sys.executable, "-c", code, place.path, number) for number in range(4)]:
        finish(program)
    place.come_back()
    with os.scandir(place.path) as entries:
        assert sum(entry.stat().st_size > 0 for entry in entries) == 128
    assert (place / "t63").read_bytes() == b"63" * 1000 and (place / "p3.15").read_text() == "15"


def test_modules_are_imported_and_compiled(place):
    package = place / "package"
    package.mkdir()
    (package / "__init__.py").write_text("from .part import value\n")
    (package / "part.py").write_text("value = 41\n")
    (package / "__main__.py").write_text("from package import value; print(value)\n")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    assert run(sys.executable, "-m", "package", cwd=place.path, env=environment) == "41\n"
    assert len(list((package / "__pycache__").glob("*.pyc"))) >= 2
    (package / "part.py").write_text("value = 41 + 1\n")
    assert run(sys.executable, "-m", "package", cwd=place.path, env=environment) == "42\n"
    run(sys.executable, "-m", "compileall", "-q", "-f", package)
    place.come_back()
    assert run(sys.executable, "-m", "package", cwd=place.path, env=environment) == "42\n"


FINDS = """
import os, pathlib, sys
directory = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(directory))
(directory / "first.py").write_text("value = 1\\n")
os.utime(directory, (1_000_000_000, 1_000_000_000))
import first
(directory / "second.py").write_text("value = 2\\n")
import second
print(first.value + second.value)
"""


def test_a_module_is_found_that_is_made_when_its_directory_is_known(place):
    """Python's import looks into a directory again when its mtime has changed. So do mailbox.Maildir, mail readers and caches."""
    assert run(sys.executable, "-B", "-c", FINDS, place.path) == "3\n"


def wheel(directory):
    """A package with a module, a script and data, as a wheel."""
    path = directory / "e2esample-1.0-py3-none-any.whl"
    files = {
        "e2esample/__init__.py": "def main():\n    print('installed')\n",
        "e2esample/data/table.txt": "data\n",
        "e2esample-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: e2esample\nVersion: 1.0\n",
        "e2esample-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "e2esample-1.0.dist-info/entry_points.txt": "[console_scripts]\ne2esample = e2esample:main\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, "e2esample-1.0.dist-info/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, "e2esample-1.0.dist-info/RECORD": record}.items():
            archive.writestr(name, text)
    return path


@pytest.mark.heavy
def test_pip_installs_into_a_directory_on_the_mount(place, tmp_path):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--cache-dir", place / "pip"]
    run(*pip, "install", "--no-index", "--no-deps", "--target", place / "site", wheel(tmp_path))
    run(*pip, "install", "--no-index", "--no-deps", "--upgrade", "--target", place / "site", wheel(tmp_path))
    place.come_back()
    environment = {**os.environ, "PYTHONPATH": str(place / "site")}
    assert run(place / "site" / "bin" / "e2esample", env=environment) == "installed\n"
    assert (place / "site" / "e2esample" / "data" / "table.txt").read_text() == "data\n"


@pytest.mark.parametrize("how", ["--symlinks", "--copies"])  # with copies lib64 is a link all the same
def test_a_virtual_environment_is_made_and_used(place, how):
    run(sys.executable, "-m", "venv", "--without-pip", how, place / "venv")
    place.come_back()
    code = "import sys; print(sys.prefix != sys.base_prefix, sys.prefix)"
    assert run(place / "venv" / "bin" / "python", "-c", code) == f"True {place.path}/venv\n"
