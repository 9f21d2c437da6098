#pragma once
// Listings: S3's pages become records of the cache.

#include <atomic>
#include <mutex>
#include <string>
#include <unordered_set>

#include "listing.h"
#include "name_memory.h"
#include "prefixfs/s3/object_store.h"
#include "rights.h"
#include "tree.h"

namespace prefixfs::vfs {

/// Thread-safe; listings of one directory at the same time do the work twice, and agree.
class Lister {
 public:
  Lister(const Settings& settings, s3::ObjectStore& store, meta::NodeCache& nodes, const Tree& tree, AbsentNames& absent,
         UntoldVersions& untold, Rights& rights, const Clock& clock, Log& log)
      : settings_(settings), store_(store), nodes_(nodes), tree_(tree), absent_(absent), untold_(untold), rights_(rights), clock_(clock),
        log_(log) {}

  /// Errors: as Tree::directory_prefix().
  Result<Listing> begin(InodeId directory) const;
  /// One more page becomes records; what it should have told of and has not goes. Not for a complete listing. After an error the same page may be
  /// asked for again. Errors: denied (and then Rights knows), not_found (no such bucket), and the common ones.
  Result<void> next_page(Listing& listing, const CallContext& context);
  /// Asks for the next page already; not for a complete listing.
  void ask_ahead(Listing& listing);
  /// Confirms the names behind `name`, up to a page of them. What S3 does not have there any more stays as it is known.
  Result<void> confirm_behind(InodeId directory, std::string_view name, const CallContext& context);
  /// Confirms what is known of the keys that begin with `prefix` and come behind `start_after`, a page of them, in whatever directories they are.
  struct TreeOutcome {
    std::size_t confirmed = 0;  ///< files and directories that were not within the window
    bool complete = false;      ///< there are no more keys
  };
  Result<TreeOutcome> confirm_tree(const std::string& prefix, const std::string& start_after, const CallContext& context);
  /// At most `pages_max` pages of the directory.
  Result<Listing> list(InodeId directory, std::uint32_t pages_max, const CallContext& context);

  /// What stands under one name, from one small listing.
  struct NameOutcome {
    std::optional<ObjectInfo> object;
    bool directory = false;
  };
  Result<NameOutcome> look_for(InodeId directory, std::string_view name, const CallContext& context);

  /// Whether any key lies below "name/", and whether one besides its marker does.
  struct BelowOutcome {
    std::optional<ObjectInfo> marker;
    bool others = false;
  };
  Result<BelowOutcome> look_below(const std::string& directory_prefix, const CallContext& context);

  /// How many keys have been seen that are shown under another name than their own (object/shown_name.h); at most kEscapedMax.
  std::uint64_t escaped() const;
  static constexpr std::size_t kEscapedMax = 10'000;

 private:
  class KnownInTree;
  Result<s3::ListPage> page(const s3::ListOptions& options, const CallContext& context);
  Result<s3::ListPage> noted(Result<s3::ListPage> answer);
  Result<s3::ListPage> page_of(Listing& listing, const CallContext& context);
  Result<std::vector<meta::Node>> record(const s3::ListPage& page, Listing& listing);
  Result<void> store(InodeId directory, std::vector<meta::Node>& nodes, WallTime asked);
  std::vector<meta::Node> nodes_of(const s3::ListPage& page, Listing& listing);
  static void note_earlier(const s3::ListPage& page, Listing& listing);
  struct Told {
    NodeKind kind = NodeKind::file;
    const ObjectInfo* object = nullptr;  ///< of a file
    WallTime seen{};                     ///< when the page was asked for that has it
  };
  std::optional<meta::Node> node_of(std::string_view part, Shown as, const Told& told, const Listing& listing);
  void note_late(const std::vector<meta::Node>& nodes, Listing& listing);
  Result<void> told_up_to(std::string place, Listing& listing);
  Result<void> finish(Listing& listing);
  Result<void> drop_unlisted(const meta::PlaceSpan& span, Listing& listing);
  Result<void> remember_shortened(const std::string& prefix, std::string_view name, const CallContext& context);
  void confirm_own(InodeId directory, std::string_view name, const ObjectInfo* info, WallTime began);
  Result<void> drop_deleted(const std::vector<meta::Node>& page, WallTime began);
  void note_escaped(const std::string& key, const std::string& name);

  const Settings& settings_;
  s3::ObjectStore& store_;
  meta::NodeCache& nodes_;
  const Tree& tree_;
  AbsentNames& absent_;
  UntoldVersions& untold_;
  Rights& rights_;
  const Clock& clock_;
  Log& log_;
  std::atomic<bool> unordered_{false};  ///< this endpoint has listed out of order
  static constexpr std::size_t kEscapedLogged = 100;
  mutable std::mutex escaped_mutex_;
  std::unordered_set<std::string> escaped_;
};

}  // namespace prefixfs::vfs
