#!/usr/bin/env python3
"""Holds the #include lines of src/ and include/ to the table of modules in src/CMakeLists.txt.

A module may include its own headers, the contracts (include/prefixfs/<module>/) of the modules in its DEPENDS, and the libraries
that it links. A library stands in the PRIVATE list of one module only, and then never in a contract; devs3 is a program of its own
and may have the same libraries again. Prints each violation as file:line: reason; the exit status is 1 when there is one.
"""

import argparse
import pathlib
import re
import sys

LIBRARIES = {
    r"openssl/": "OpenSSL::Crypto", r"curl/": "CURL::libcurl", r"libxml2?/": "LibXml2::LibXml2", r"lmdb\.h$": "PkgConfig::LMDB",
    r"fuse[^/]*\.h$|fuse3?/": "PkgConfig::FUSE3", r"spdlog/": "spdlog::spdlog", r"CLI/": "CLI11::CLI11",
    r"toml\+\+/|toml\.hpp$": "PkgConfig::TOMLPLUSPLUS", r"nlohmann/": "nlohmann_json::nlohmann_json",
    r"boost/": "Boost::headers",
}
SEPARATE_PROGRAMS = {"devs3"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def read_table(root):
    """module -> {"line": where, "DEPENDS": set, "PRIVATE": set, "PUBLIC": set}"""
    text = re.sub(r"#[^\n]*", "", (root / "src/CMakeLists.txt").read_text())
    table = {}
    for call in re.finditer(r"^prefixfs_module\(\s*(\w+)([^)]*)\)", text, re.MULTILINE):
        row = {"line": text.count("\n", 0, call.start()) + 1, "DEPENDS": set(), "PRIVATE": set(), "PUBLIC": set()}
        current = None
        for word in call[2].split():
            if word in ("DEPENDS", "PRIVATE", "PUBLIC"):
                current = row[word]
            else:
                current.add(word)
        table[call[1]] = row
    return table


def table_violations(table):
    owners, earlier = {}, set()
    for module, row in table.items():
        for needed in sorted(row["DEPENDS"] - earlier):
            yield row["line"], f"{module} depends on {needed}, which does not stand above it"
        earlier.add(module)
        for library in sorted(row["PRIVATE"] if module not in SEPARATE_PROGRAMS else ()):
            if library in owners:
                yield row["line"], f"{library} is linked by {owners[library]} already"
            owners[library] = module


def include_violation(path, header, quoted, module, is_contract, table):
    row = table[module]
    if header.startswith("prefixfs/"):
        other = header.split("/")[1]
        if other != module and other not in row["DEPENDS"]:
            return f"{module} may not include {header}: {other} is not in its DEPENDS"
        return None
    for pattern, library in LIBRARIES.items():
        if re.match(pattern, header):
            if library not in row["PRIVATE"] | row["PUBLIC"]:
                return f"{module} may not include {header}: it does not link {library}"
            if is_contract and library not in row["PUBLIC"]:
                return f"{header} is private to {module} and may not stand in its contract"
            return None
    if quoted and (is_contract or not (path.parent / header).is_file() or ".." in header):
        return f"{header} is neither a contract nor a private header of {module}"
    return None


def file_violations(root, path, table):
    is_contract = path.is_relative_to(root / "include")
    module = path.relative_to(root / ("include/prefixfs" if is_contract else "src")).parts[0]
    if module not in table:
        yield 1, f"{module} is not a module of src/CMakeLists.txt"
        return
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if found := INCLUDE.match(line):
            if reason := include_violation(path, found[2], found[1] == '"', module, is_contract, table):
                yield number, reason


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent, help="the source tree")
    root = parser.parse_args().root.resolve()
    table = read_table(root)
    if not table:
        sys.exit("src/CMakeLists.txt: no prefixfs_module() found")
    violations = [("src/CMakeLists.txt", *found) for found in table_violations(table)]
    files = sorted(p for top in ("src", "include/prefixfs") for p in (root / top).rglob("*") if p.suffix in (".cpp", ".h"))
    for path in files:
        violations += [(path.relative_to(root), *found) for found in file_violations(root, path, table)]
    for name, line, reason in violations:
        print(f"{name}:{line}: {reason}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
