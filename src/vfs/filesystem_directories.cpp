// opendir, readdir, releasedir.

#include <atomic>

#include "core.h"
#include "prefixfs/base/parallel.h"

namespace prefixfs::vfs {
namespace {

// Positions of "." and ".."; an entry's position is its inode number plus this.
constexpr std::uint64_t kDotPositions = 2;
constexpr std::size_t kBatch = 256;
constexpr std::size_t kHeadsAtOnce = 64;
constexpr std::uint32_t kAllPages = std::numeric_limits<std::uint32_t>::max();

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
  if (node.id != id || node.posix.mode != known.posix.mode || node.posix.uid != known.posix.uid || node.posix.gid != known.posix.gid) {
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
    if (auto listed = core_->refresh_listing(directory, caller.context); !listed) {
      // readdir(3) takes ENOENT for the end of the directory, and rsync --delete an unreachable listing for an empty one.
      const bool reads_as_end = listed.error().code == Errc::not_found;
      return reads_as_end ? Result<void>(fail(Error{Errc::io, listed.error().what, listed.error().origin})) : std::move(listed);
    }
    handle->listed = true;
  }
  core_->resolver.directory_was_read(handle->directory);
  if (position == 0 && !sink({".", 1, core_->entry(directory)})) {
    return {};
  }
  if (position <= 1) {
    TRY_ASSIGN(const meta::Node parent, core_->tree.node(directory.parent));
    if (!sink({"..", kDotPositions, core_->entry(parent)})) {
      return {};
    }
  }
  std::string after;
  if (position > kDotPositions) {
    TRY_ASSIGN(after, core_->name_before(*handle, position - kDotPositions));
  }
  while (true) {
    const std::uint64_t closed = core_->open_files.closed();
    TRY_ASSIGN(std::vector<meta::Node> children, core_->outside.nodes.children(handle->directory, after, kBatch));
    if (core_->settings.list_exactly && core_->settings.dialect != MetadataDialect::off) {
      core_->learn_attributes(children, caller.context);
    }
    for (const meta::Node& child : children) {
      if (core_->resolver.left_behind(child)) {
        TRY(core_->outside.nodes.erase(child.parent, child.name));
        after = child.name;
        continue;
      }
      Entry entry = core_->entry(child, closed);
      entry.valid_for = core_->settings.freshness;  // from the moment the program gets it
      entry.exact = (entry.exact && child.posix_exact) || core_->settings.dialect == MetadataDialect::off;
      if (!sink({child.name, child.id + kDotPositions, entry})) {
        return {};
      }
      handle->remember(child.id, child.name);
      after = child.name;
    }
    if (children.size() < kBatch) {
      return {};
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

Result<void> Filesystem::Core::refresh_listing(const meta::Node& directory, const CallContext& context) {
  TRY_ASSIGN(const meta::ListingState state, outside.nodes.listing(directory.id));
  if (state.complete && resolver.fresh(state.listed_at)) {
    return {};
  }
  // Also where listing was refused before: the right may have been given meanwhile.
  const auto listed = lister.list(directory.id, kAllPages, context);
  if (!listed && s3::is_outage(listed.error()) && state.complete) {
    return {};  // what was there when S3 answered last
  }
  if (listed || listed.error().code != Errc::denied || rights.may_list()) {
    return listed ? Result<void>() : Result<void>(fail(listed.error()));
  }
  if (settings.list_known_names) {
    return {};
  }
  outside.log.warn("{}: cannot be listed, the right s3:ListBucket is missing; the option unlisted=known shows the names that this host knows",
                   directory.name.empty() ? "the mount's root" : directory.name);
  return fail(Errc::denied, "listing needs the right s3:ListBucket");
}

Result<std::string> Filesystem::Core::name_before(const DirectoryHandle& handle, InodeId id) const {
  if (const auto found = handle.given.find(id); found != handle.given.end()) {
    return found->second;
  }
  const auto node = tree.node(id);
  if (!node && handle.reopened) {
    // A program that deletes what it reads has deleted this one. From the beginning: it sees no name that is gone, and misses none.
    return std::string();
  }
  return node ? Result<std::string>(node->name) : fail(node.error());
}

}  // namespace prefixfs::vfs
