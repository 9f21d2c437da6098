// One listing without a delimiter: keys of many directories.

#include <map>

#include "lister.h"

namespace prefixfs::vfs {

/// The records of a page that are known already, by directory.
class Lister::KnownInTree {
 public:
  KnownInTree(Lister& lister, WallTime asked) : lister_(lister), asked_(asked) {}

  Result<void> add(const ObjectInfo& object) {
    const std::string& key = object.key.str();
    const std::size_t slash = key.rfind('/');
    const std::string prefix = slash == std::string::npos ? std::string() : key.substr(0, slash + 1);
    TRY_ASSIGN(const std::optional<InodeId> directory, directory_of(prefix));
    const std::string_view part = std::string_view(key).substr(prefix.size());
    if (!directory || part.empty()) {
      return {};
    }
    return add_if_known(*directory, prefix, part, {.kind = NodeKind::file, .object = &object, .seen = asked_});
  }

  /// How many files have been asked for by it that nothing was believed of.
  Result<std::size_t> record() {
    for (auto& [directory, nodes] : nodes_) {
      TRY_ASSIGN(const std::vector<InodeId> changed, lister_.nodes_.put_page(directory, nodes));
      for (const InodeId file : changed) {
        lister_.untold_.add(file);
      }
      TRY(lister_.drop_deleted(nodes, asked_));
    }
    return files_;
  }

 private:
  Result<void> add_if_known(InodeId directory, const std::string& prefix, std::string_view part, const Told& told) {
    Listing listing;
    listing.directory = directory;
    listing.prefix = prefix;
    auto node = lister_.node_of(part, Shown::any, told, listing);
    if (!node) {
      return {};
    }
    TRY_ASSIGN(const std::optional<meta::Node> known, lister_.nodes_.find(directory, node->name));
    if (known && (known->kind == NodeKind::directory) == (told.kind == NodeKind::directory)) {
      files_ += told.kind != NodeKind::directory && asked_ - known->checked_at > lister_.settings_.freshness ? 1 : 0;
      nodes_[directory].push_back(std::move(*node));
    }
    return {};
  }

  /// The inode of a prefix that ends with a slash, if it is known; a key below it says that it is there.
  Result<std::optional<InodeId>> directory_of(const std::string& prefix) {
    if (prefix.empty()) {
      return std::optional(meta::kRootInode);
    }
    if (const auto seen = directories_.find(prefix); seen != directories_.end()) {
      return seen->second;
    }
    const std::size_t slash = prefix.rfind('/', prefix.size() - 2);
    const std::string above = slash == std::string::npos ? std::string() : prefix.substr(0, slash + 1);
    const std::string_view part = std::string_view(prefix).substr(above.size(), prefix.size() - above.size() - 1);
    std::optional<InodeId> found;
    TRY_ASSIGN(const std::optional<InodeId> parent, directory_of(above));
    if (const auto name = parent ? lister_.tree_.name_of(part, Shown::any) : fail(Errc::not_found, prefix)) {
      TRY_ASSIGN(const std::optional<meta::Node> known, lister_.nodes_.find(*parent, *name));
      if (known && known->kind == NodeKind::directory) {
        found = known->id;
        TRY(add_if_known(*parent, above, part, {.kind = NodeKind::directory, .object = nullptr, .seen = asked_}));
      }
    }
    directories_.emplace(prefix, found);
    return found;
  }

  Lister& lister_;
  const WallTime asked_;
  std::map<std::string, std::optional<InodeId>> directories_;
  std::map<InodeId, std::vector<meta::Node>> nodes_;
  std::size_t files_ = 0;
};

Result<Lister::TreeOutcome> Lister::confirm_tree(const std::string& prefix, const std::string& start_after, const CallContext& context) {
  const WallTime asked = clock_.now();
  TRY_ASSIGN(const s3::ListPage answer,
             page({.prefix = prefix, .delimiter = "", .start_after = start_after, .continuation_token = {}, .max_keys = 1000}, context));
  KnownInTree known(*this, asked);
  for (const ObjectInfo& object : answer.objects) {
    TRY(known.add(object));
  }
  TRY_ASSIGN(const std::size_t files, known.record());
  return TreeOutcome{.files = files, .complete = answer.next_token.empty()};
}

}  // namespace prefixfs::vfs
