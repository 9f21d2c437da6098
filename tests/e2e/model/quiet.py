"""Quiet points: nothing is owed, and the bucket, both mounts and the reference agree byte for byte."""

import os

from support import admin
from support.wait import until

from .checks import Difference, brief
from .outside_operations import get_or_none
from .reference import LINK

AGREE_SECONDS = 8


class Quiet:
    def do_quiet(self, op):
        self.do_calm(op)
        self._settle_handles(op.get("close", True))
        for host in self.world.hosts:
            self.drain(host)
        bucket = {path: get_or_none(self.world.space, path) for path in self.reference.names}
        unknown = set(self.world.space.names()) - set(bucket)
        if unknown:
            raise Difference(f"keys that nobody has made: {sorted(unknown)}")
        self._check_kept(self._check_bucket(bucket), bucket)
        self.check_moves(bucket)
        for path, content in bucket.items():
            self.reference.restart(path, content)
        for host in self.world.hosts:
            self._check_mount(host, bucket)
            self._check_owes_nothing(host)
        self._check_uploads()

    def _settle_handles(self, close):
        """What is being written is stored. Handles whose file is another one by now are closed: their hosts see them as they are here."""
        for key in sorted(self.slots):
            self.committed(*key, close=close)
        for key in sorted(self.slots):
            inode, _ = self.slots[key]
            if inode.broken or self.reference.is_superseded(inode):
                self.committed(*key, close=True)

    def _check_bucket(self, bucket):
        """path -> the version that has won"""
        final = {}
        for path, content in bucket.items():
            allowed = self.reference.finals(path)
            final[path] = next((version for version in reversed(allowed) if version.content == content), None)
            if final[path] is None:
                expected = " or ".join(brief(version.content) for version in allowed)
                raise Difference(f"at rest the bucket has {path} = {brief(content)}, not {expected}")
        return final

    def _check_kept(self, final, bucket):
        """What a program was told is not stored, and what has lost against others, lies in kept/; and nothing else does."""
        must = []
        for path, name in self.reference.names.items():
            must += [(host, path, [content]) for host, content in self.reference.must_be_kept(path, final[path])]
            later = name.certain.actor
            must += [(each.host, path, name.forms_of(each)) for each in name.refused
                     if each.content and bucket[path] not in name.forms_of(each) and not (later == each.host and len(name.versions) > 1)]
        for host, path, contents in must:
            until(lambda: any(self._is_kept(host, path, content) for content in contents), AGREE_SECONDS,
                  f"host {host} has kept {path} = {brief(contents[0])}; the bucket has {brief(bucket[path])}")
        self._check_kept_are_known()

    def _is_kept(self, host, path, content):
        paths = (path, path.rpartition("/")[2], None)  # of a directory that is gone the name alone is known
        return any(entry["path"] in paths and self._same(entry, content) for entry in admin.kept(self.world.hosts[host].mount))

    @staticmethod
    def _same(entry, content):
        content = content.removeprefix(LINK)
        with open(entry["file"], "rb") as file:
            kept = file.read()
        if not entry["incomplete"]:
            return kept == content
        return len(kept) == len(content) and all(mine in (0, theirs) for mine, theirs in zip(kept, content))

    def _check_kept_are_known(self):
        for host, real in self.world.hosts.items():
            for entry in admin.kept(real.mount):
                if (host, entry["id"]) in self.kept_known:
                    continue
                self.kept_known.add((host, entry["id"]))
                possible = self._may_be_kept(host, entry["path"])
                if not any(self._same(entry, content) for content in possible):
                    raise Difference(f"host {host} keeps {entry['path']} for no reason: {entry}")

    def _may_be_kept(self, host, path):
        """Contents say who has written them, so that the name can be left out of it where it is not known."""
        possible = []
        for name in self.reference.names.values():
            possible += [content for who, content in name.kept if who == host]
            possible += [content for each in name.refused if each.host == host for content in name.forms_of(each)]
        name = self.reference.names.get(path)
        if name is not None and (name.contested or self.reference.hosts[host].journal):
            possible += [version.content for version in name.versions if version.content is not None] + name.merged()
        return possible

    def _check_mount(self, host, bucket):
        def agree():
            problem[0] = self._difference(host, bucket)
            return problem[0] is None

        problem = [None]
        try:
            until(agree, AGREE_SECONDS, f"host {host} shows what the bucket has", every=0.1)
        except AssertionError:
            raise Difference(f"at rest host {host}: {problem[0]}") from None
        for path, content in bucket.items():
            self.reference.observed(host, path, content)

    def _difference(self, host, bucket):
        """What the mount shows otherwise than the bucket; None: nothing."""
        for directory in ["", *self.reference.directories]:
            state = self.reference.directory(host, directory)
            try:
                got = set(os.listdir(self.world.hosts[host].path(directory)))
            except FileNotFoundError:
                if not state.may_be_absent:
                    return f"{directory} is not there"
                self.reference.hosts[host].kept_directories.discard(directory)
                continue
            if not state.may_be_there:
                return f"{directory} is there"
            for name in self.reference.below(directory):
                short = name.rstrip("/").rpartition("/")[2]
                there = (bucket[name] is not None) if not name.endswith("/") else None
                if there is not None and there != (short in got):
                    return f"ls {'shows' if short in got else 'does not show'} {name}"
                got_now = self._read_or_none(host, name) if there is not None else None
                if there is not None and got_now != bucket[name]:
                    return f"{name} is {brief(got_now)}, and {brief(bucket[name])} in the bucket"
        return None

    def _read_or_none(self, host, name):
        try:
            return self._read(host, name)
        except FileNotFoundError:
            return None

    def _check_owes_nothing(self, host):
        state = admin.status(self.world.hosts[host].mount)
        if state["owed"]:
            raise Difference(f"host {host} still owes {state['owed']}")

    def _check_uploads(self):
        """What could not be aborted while S3 did not answer is aborted by the next start."""
        if self.had_outage and self.world.space.uploads():
            for host in self.world.hosts:
                self.do_remount({"host": host})
        self.had_outage = False
        until(lambda: self.world.space.uploads() == [], AGREE_SECONDS, "no multipart upload is left open")
