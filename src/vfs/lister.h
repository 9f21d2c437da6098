#pragma once
// Listings: S3's pages become records of the cache.

#include <mutex>
#include <string>
#include <unordered_set>

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

  struct Outcome {
    bool complete = false;  ///< all names of the directory are in the cache now
    bool found_any = false; ///< some key exists below the directory, if only its marker
    std::optional<ObjectInfo> marker;
  };
  /// At most `pages_max` pages of the directory. Errors: denied (and then Rights knows), not_found (no such bucket), and the common ones.
  Result<Outcome> list(InodeId directory, std::uint32_t pages_max, const CallContext& context);

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
  Result<s3::ListPage> page(const s3::ListOptions& options, const CallContext& context);
  /// A listing that is under way.
  struct Reading {
    std::string prefix;
    InodeId directory = 0;
    WallTime began{};
    Outcome outcome;
    std::vector<ObjectInfo> earlier;  ///< of former pages, beside which a directory may still come
  };
  std::vector<meta::Node> nodes_of(const s3::ListPage& page, Reading& reading);
  static void note_earlier(const s3::ListPage& page, Reading& reading);
  std::optional<meta::Node> node_of(std::string_view part, Shown as, NodeKind kind, const ObjectInfo* info, const Reading& reading);
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
  static constexpr std::size_t kEscapedLogged = 100;
  mutable std::mutex escaped_mutex_;
  std::unordered_set<std::string> escaped_;
};

}  // namespace prefixfs::vfs
