"""Compilers, build systems and package managers that work on a mount."""

import json
import os

import pytest

from support import machine
from support.programs import run

MAKEFILE = """\
objects = main.o part1.o part2.o part3.o
program: $(objects) libparts.a
\tcc -o $@ main.o -L. -lparts
libparts.a: part1.o part2.o part3.o
\tar rcs $@ $^
%.o: %.c parts.h
\t$(CCACHE) cc -c -MMD -o $@ $<
clean:
\trm -f *.o *.d *.a program
-include *.d
"""
NINJA = """\
rule cc
  command = cc -c -MMD -MF $out.d -o $out $in
  depfile = $out.d
  deps = gcc
rule link
  command = cc -o $out $in
""" + "".join(f"build {name}.o: cc {name}.c\n" for name in ("main", "part1", "part2", "part3")) + \
    "build program: link main.o part1.o part2.o part3.o\n"
CMAKE = """\
cmake_minimum_required(VERSION 3.20)
project(sample C)
add_library(parts STATIC part1.c part2.c part3.c)
add_executable(program main.c)
target_link_libraries(program parts)
install(TARGETS program)
"""


@pytest.fixture
def project(place):
    """A program of four files that prints 6."""
    for name in ("make", "gcc"):
        machine.require_program(name)
    root = place / "project"
    root.mkdir()
    (root / "parts.h").write_text("#pragma once\nint part1(void); int part2(void); int part3(void);\n")
    for number in (1, 2, 3):
        (root / f"part{number}.c").write_text(f'#include "parts.h"\nint part{number}(void) {{ return {number}; }}\n')
    (root / "main.c").write_text('#include <stdio.h>\n#include "parts.h"\nint main(void) { printf("%d\\n", part1() + part2() + part3()); }\n')
    (root / "Makefile").write_text(MAKEFILE)
    (root / "build.ninja").write_text(NINJA)
    (root / "CMakeLists.txt").write_text(CMAKE)
    return root


def test_make_builds_what_has_changed(place, project):
    assert "libparts" in run("make", "-j2", cwd=project)
    assert run(project / "program") == "6\n"
    assert "up to date" in run("make", cwd=project)
    place.come_back(cold=False)
    assert "up to date" in run("make", cwd=project)
    (project / "part3.c").write_text('#include "parts.h"\nint part3(void) { return 4; }\n')
    out = run("make", cwd=project)
    assert "part3.o" in out and "-o part1.o" not in out and run(project / "program") == "7\n"
    run("touch", project / "parts.h")
    assert run("make", cwd=project).count(" -c ") == 4
    run("make", "clean", cwd=project)
    assert len(os.listdir(project)) == 8


def test_a_built_program_runs_after_a_remount(place, project):
    run("make", "-j2", cwd=project)
    place.come_back()
    assert run(project / "program") == "6\n"
    (project / "part1.c").write_text('#include "parts.h"\nint part1(void) { return 100; }\n')
    run("make", cwd=project)
    run("strip", project / "program")
    run("install", "-m", "0755", project / "program", place / "installed")
    assert run(place / "installed") == "105\n"


@pytest.mark.mount_options(attrs="exact")
def test_make_has_nothing_to_do_on_a_host_that_knows_nothing(place, project):
    run("touch", "-d", "2020-01-01", *project.glob("*.[ch]"))
    run("make", "-j2", cwd=project)
    run("touch", "-d", "2020-01-02", *project.glob("*.o"))
    run("touch", "-d", "2020-01-03", project / "libparts.a")
    run("touch", "-d", "2020-01-04", project / "program")
    place.come_back()
    run("ls", "-l", project)
    assert {path.name: int(path.stat().st_mtime) for path in project.glob("*.c")} == {path.name: 1577836800 for path in project.glob("*.c")}
    assert "up to date" in run("make", cwd=project)


def test_ninja_builds_what_has_changed(place, project):
    machine.require_program("ninja")
    assert "[5/5]" in run("ninja", "-j2", cwd=project)
    assert "no work to do" in run("ninja", cwd=project)
    place.come_back(cold=False)
    assert "no work to do" in run("ninja", cwd=project)  # .ninja_log has the times
    run("touch", project / "part2.c")
    assert "[2/2]" in run("ninja", cwd=project)
    assert run(project / "program") == "6\n"
    run("ninja", "-t", "clean", cwd=project)
    assert not (project / "program").exists()


@pytest.mark.heavy
def test_cmake_configures_builds_and_installs(place, project):
    machine.require_program("cmake")
    machine.require_program("ninja")
    run("cmake", "-G", "Ninja", "-S", project, "-B", place / "build", f"-DCMAKE_INSTALL_PREFIX={place.path}/usr", "-Wno-dev")
    run("cmake", "--build", place / "build", "-j2")
    run("cmake", "--install", place / "build")
    place.come_back()
    assert run(place / "usr" / "bin" / "program") == "6\n"


def test_ccache_with_its_cache_on_the_mount(place, project):
    machine.require_program("ccache")
    environment = {**{name: value for name, value in os.environ.items() if not name.startswith("CCACHE")},
                   "CCACHE_DIR": str(place / "cache"), "CCACHE_CONFIGPATH": os.devnull, "CCACHE": "ccache"}

    def counts():
        lines = run("ccache", "--print-stats", env=environment).splitlines()
        found = {name: int(value) for name, value in (line.split() for line in lines)}
        return found["direct_cache_hit"] + found["preprocessed_cache_hit"], found["cache_miss"]

    run("make", "-j2", cwd=project, env=environment)
    assert counts() == (0, 4)
    run("make", "clean", cwd=project)
    run("make", "-j2", cwd=project, env=environment)
    assert counts() == (4, 4)
    place.come_back()
    run("make", "clean", cwd=project)
    run("make", "-j2", cwd=project, env=environment)
    assert counts() == (8, 4) and run(project / "program") == "6\n"
    run("ccache", "--cleanup", env=environment)
    run("ccache", "--clear", env=environment)


def npm(*words, **more):
    machine.require_program("npm")
    machine.require_program("node")
    return run("npm", "--offline", "--no-audit", "--no-fund", "--no-update-notifier", *words, **more)


@pytest.fixture
def package(place, tmp_path):
    """A package as a .tgz, and a program that wants it."""
    source, application = tmp_path / "sample", place / "application"
    source.mkdir()
    application.mkdir()
    (source / "package.json").write_text(json.dumps({"name": "sample", "version": "1.0.0", "main": "index.js", "bin": "cli.js"}))
    (source / "index.js").write_text("module.exports = 42;\n")
    (source / "cli.js").write_text("#!/usr/bin/env node\nconsole.log(require('./index.js'));\n")
    npm("pack", "--pack-destination", tmp_path, "--cache", tmp_path / "npm", cwd=source)
    (application / "package.json").write_text(json.dumps({"name": "application", "version": "1.0.0", "dependencies": {}}))
    return tmp_path / "sample-1.0.0.tgz"


@pytest.mark.heavy
def test_npm_installs_without_links_to_programs(place, package):
    npm("install", "--no-bin-links", "--cache", place / "npm", package, cwd=place / "application")
    place.come_back()
    assert run("node", "-p", "require('sample')", cwd=place / "application") == "42\n"
    assert json.loads((place / "application" / "package-lock.json").read_text())["packages"]["node_modules/sample"]["version"] == "1.0.0"
    npm("ci", "--no-bin-links", "--cache", place / "npm", cwd=place / "application")  # removes node_modules first
    assert run("node", "-p", "require('sample')", cwd=place / "application") == "42\n"


@pytest.mark.heavy
def test_npm_installs_links_to_programs(place, package):
    npm("install", "--cache", place / "npm", package, cwd=place / "application")
    place.come_back()
    assert os.path.islink(place / "application" / "node_modules" / ".bin" / "sample")
    assert run(place / "application" / "node_modules" / ".bin" / "sample") == "42\n"
