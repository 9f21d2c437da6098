// opendir, readdir, releasedir.

#include <atomic>

#include "attributes.h"
#include "core.h"
#include "prefixfs/base/parallel.h"

namespace prefixfs::vfs {
namespace {

// Positions of "." and ".."; an entry's position is its inode number plus this.
constexpr std::uint64_t kDotPositions = 2;
constexpr std::size_t kHeadsAtOnce = 64;

/// readdir(3) takes ENOENT for the end of the directory, and rsync --delete an unreachable listing for an empty one.
template <class T>
Result<T> never_the_end(Result<T> read) {
  if (!read && read.error().code == Errc::not_found) {
    read.error().code = Errc::io;
  }
  return read;
}

}  // namespace

Result<HandleId> Filesystem::opendir(InodeId id, const Caller& caller) {
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.look({id, {}}, caller.context));
  TRY(core_->judged_directory(id, caller.context));
  return core_->directory_handles.open(id);
}

/// A directory that programs may enter, by its own mode and owner. Errors besides those of Tree::directory(): stale (the kernel has judged by the defaults that a
/// listing leaves; it looks the name up again, and judges by what the marker says).
Result<meta::Node> Filesystem::Core::judged_directory(InodeId id, const CallContext& context) {
  TRY_ASSIGN(meta::Node known, tree.directory(id));
  if (known.posix_exact || known.local || id == meta::kRootInode || settings.dialect == MetadataDialect::off) {
    return known;
  }
  TRY_ASSIGN(meta::Node node, of_known_inode(resolver.confirm_exactly(known, context)));
  if (node.id != id || !same_permissions(node.posix, known.posix)) {
    return fail(Errc::stale, known.name + " has other permissions than a listing shows");
  }
  return node;
}

void Filesystem::releasedir(HandleId handle) { core_->directory_handles.close(handle); }

Result<void> Filesystem::fsyncdir(InodeId id, const Caller& caller) {
  TRY_ASSIGN(const std::string prefix, core_->tree.directory_prefix(id));
  return core_->write_back.wait_for_prefix(prefix, caller.context);
}

Result<void> Filesystem::readdir(HandleId id, std::uint64_t position, const EntrySink& sink, const Caller& caller) {
  const auto handle = core_->directory_handles.find(id);
  if (handle == nullptr) {
    return fail(Errc::internal, "readdir with an unknown handle");
  }
  TRY_ASSIGN(const SubtreeGate::Pass pass, core_->gate.look({handle->directory, {}}, caller.context));
  TRY_ASSIGN(const meta::Node directory, core_->tree.directory(handle->directory));
  const std::lock_guard lock(handle->mutex);
  if (position == 0 || !handle->listed) {
    TRY(never_the_end(core_->directory_reader.start(*handle, caller.context)));
  }
  if (position == 0 && !sink({".", 1, core_->entry(directory)})) {
    return {};
  }
  if (position <= 1) {
    TRY_ASSIGN(const meta::Node parent, core_->tree.node(directory.parent));
    if (!sink({"..", kDotPositions, core_->entry(parent)})) {
      return {};
    }
  }
  InodeId last = position > kDotPositions ? position - kDotPositions : 0;
  bool given = position <= 1;
  while (true) {
    const std::uint64_t closed = core_->open_files.closed();
    // What a program can have now does not wait for the next page.
    TRY_ASSIGN(auto names, never_the_end(core_->directory_reader.names_behind(*handle, last, !given, caller.context)));
    if (!names || names->empty()) {
      return {};
    }
    if (core_->settings.list_exactly && core_->settings.dialect != MetadataDialect::off) {
      core_->learn_attributes(*names, caller.context);
    }
    for (const meta::Node& child : *names) {
      last = child.id;
      if (core_->resolver.left_behind(child)) {
        TRY(core_->outside.nodes.erase(child.parent, child.name));
        handle->remember(child.id, child.name);
        continue;
      }
      Entry entry = core_->entry(child, closed);
      entry.valid_for = core_->settings.freshness;  // from the moment the program gets it
      if (!sink({child.name, child.id + kDotPositions, entry})) {
        return {};
      }
      handle->remember(child.id, child.name);
      given = true;
    }
  }
}

/// Of those that a listing alone has told; what S3 does not tell stays as it is. A version is asked for once.
void Filesystem::Core::learn_attributes(std::vector<meta::Node>& nodes, const CallContext& context) {
  std::vector<meta::Node*> unknown;
  for (meta::Node& node : nodes) {
    if (!node.posix_exact && !node.local) {
      unknown.push_back(&node);
    }
  }
  std::atomic<bool> useless = false;
  for_each_index(unknown.size(), kHeadsAtOnce, [&](std::size_t index) {
    if (useless) {
      return;
    }
    auto known = resolver.learn_attributes(*unknown[index], context);
    if (known) {
      *unknown[index] = std::move(*known);
    } else if (known.error().code != Errc::not_found) {
      useless = true;  // no answer, or no right: the others would fare alike
    }
  });
}

}  // namespace prefixfs::vfs
