// One listing without a delimiter: keys of many directories.

#include <map>

#include "attributes.h"
#include "lister.h"

namespace prefixfs::vfs {

/// The records of a page that are known already, by directory.
class Lister::KnownInTree {
 public:
  KnownInTree(Lister& lister, const s3::ListOptions& options, WallTime asked) : lister_(lister), options_(options), asked_(asked) {}

  Result<void> add(const ObjectInfo& object) {
    const std::string& key = object.key.str();
    const std::string prefix = key.substr(0, key.rfind('/') + 1);  // npos + 1: none
    const bool is_marker = prefix == key;
    TRY_ASSIGN(const std::optional<InodeId> directory, directory_of(prefix, is_marker ? &object : nullptr));
    if (!directory || is_marker) {
      return {};
    }
    auto node = node_of(*directory, prefix, std::string_view(key).substr(prefix.size()), {.kind = NodeKind::file, .object = &object, .seen = asked_});
    if (!node) {
      return {};
    }
    TRY_ASSIGN(const std::optional<meta::Node> known, lister_.nodes_.find(*directory, node->name));
    if (known && known->kind != NodeKind::directory) {
      confirm(*known, std::move(*node));
    }
    return {};
  }

  /// Gives back how many were not confirmed within the window.
  Result<std::size_t> record() {
    for (auto& [directory, nodes] : nodes_) {
      TRY(lister_.store(directory, nodes, asked_));
    }
    return old_;
  }

 private:
  std::optional<meta::Node> node_of(InodeId directory, const std::string& prefix, std::string_view part, const Told& told) {
    Listing listing;
    listing.directory = directory;
    listing.prefix = prefix;
    return lister_.node_of(part, Shown::any, told, listing);
  }

  void confirm(const meta::Node& known, meta::Node node) {
    old_ += asked_ - known.checked_at > lister_.settings_.freshness ? 1 : 0;
    nodes_[node.parent].push_back(std::move(node));
  }

  /// The inode of a prefix that ends with a slash, if it is known. That it is there its first key here says, and what it is its marker, which is that key if there is one.
  Result<std::optional<InodeId>> directory_of(const std::string& prefix, const ObjectInfo* marker) {
    if (prefix.empty()) {
      return std::optional(meta::kRootInode);
    }
    if (const auto seen = directories_.find(prefix); seen != directories_.end()) {
      return seen->second;
    }
    std::optional<InodeId>& found = directories_[prefix];
    const std::string above = prefix.substr(0, prefix.rfind('/', prefix.size() - 2) + 1);
    const std::string_view part = std::string_view(prefix).substr(above.size(), prefix.size() - above.size() - 1);
    TRY_ASSIGN(const std::optional<InodeId> parent, directory_of(above, nullptr));
    auto node = parent ? node_of(*parent, above, part, {.kind = NodeKind::directory, .object = nullptr, .seen = asked_}) : std::nullopt;
    if (!node) {
      return found;
    }
    TRY_ASSIGN(const std::optional<meta::Node> known, lister_.nodes_.find(*parent, node->name));
    if (!known || known->kind != NodeKind::directory) {
      return found;
    }
    found = known->id;
    const bool place_seen = prefix.starts_with(options_.prefix) && prefix > options_.start_after;
    const bool same = marker != nullptr ? known->etag == marker->etag && !written_since(*known, marker->last_modified) : known->etag.empty();
    if (place_seen && same) {
      confirm(*known, std::move(*node));
    }
    return found;
  }

  Lister& lister_;
  const s3::ListOptions& options_;
  const WallTime asked_;
  std::map<std::string, std::optional<InodeId>> directories_;
  std::map<InodeId, std::vector<meta::Node>> nodes_;
  std::size_t old_ = 0;
};

Result<Lister::TreeOutcome> Lister::confirm_tree(const std::string& prefix, const std::string& start_after, const CallContext& context) {
  const s3::ListOptions options{.prefix = prefix, .delimiter = "", .start_after = start_after, .continuation_token = {}, .max_keys = 1000};
  const WallTime asked = clock_.now();
  TRY_ASSIGN(const s3::ListPage answer, page(options, context));
  KnownInTree known(*this, options, asked);
  for (const ObjectInfo& object : answer.objects) {
    TRY(known.add(object));
  }
  TRY_ASSIGN(const std::size_t confirmed, known.record());
  return TreeOutcome{.confirmed = confirmed, .complete = answer.next_token.empty()};
}

}  // namespace prefixfs::vfs
