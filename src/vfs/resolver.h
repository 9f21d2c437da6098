#pragma once
// What stands behind a name or an inode now, with as few requests as the freshness window allows.
// The rules, with their request counts, are in README.md, "How a name is found".

#include <atomic>
#include <functional>

#include "attributes.h"
#include "content.h"
#include "lister.h"
#include "open_file.h"
#include "scattered_files.h"

namespace prefixfs::vfs {

/// Thread-safe.
class Resolver {
 public:
  struct Parts {
    const Settings& settings;
    s3::ObjectStore& store;
    meta::NodeCache& nodes;
    stage::StageDirectory& stage;
    const Tree& tree;
    Lister& lister;
    AbsentNames& absent;
    Rights& rights;
    OpenFiles& open_files;
    ContentCache& contents;
    const Clock& clock;
    Log& log;
  };
  explicit Resolver(const Parts& parts) : p_(parts), started_(parts.clock.now()) {}

  /// The node of that name. Errors: not_found, and what S3 said. `intent` is asked only where it matters.
  Result<meta::Node> find(InodeId parent, std::string_view name, const CallContext& context, const std::function<LookupIntent()>& intent = {});

  /// Whether S3 has said within the window that the name is absent.
  bool knows_absent(InodeId parent, std::string_view name) const;
  /// Whether the endpoint itself refuses the first PUT of a name that is taken.
  bool endpoint_guards_names() const;

  /// The node again, confirmed by S3 if what is known is older than the window. Errors: not_found; stale when the name now belongs to another inode.
  Result<meta::Node> confirm(const meta::Node& node, const CallContext& context);
  /// The same before the file is opened: what a listing said a while ago is enough to show a name, not to read its bytes.
  Result<meta::Node> confirm_for_open(const meta::Node& node, const CallContext& context);

  /// The same with all that the object says of itself, which a listing does not know.
  Result<meta::Node> confirm_exactly(const meta::Node& node, const CallContext& context);

  /// The same for a name that a listing has shown a moment ago, by one HEAD. Errors: not_found, and what S3 said.
  Result<meta::Node> learn_attributes(const meta::Node& node, const CallContext& context);

  /// One GET of the first block: attributes and bytes in one answer. With `force` also when the window is not over.
  /// The content (with what came) waits in the cache of contents. Errors: not_found.
  Result<meta::Node> fetch_first_block(InodeId parent, std::string_view name, const CallContext& context);

  /// The same with so many bytes, for a file that nobody has asked for yet.
  Result<meta::Node> fetch_beginning(InodeId parent, std::string_view name, std::uint64_t bytes, const CallContext& context);
  /// Whether whoever opens the file now to read it waits for a GET.
  bool asks_to_open(const meta::Node& file) const;

  /// Records that S3 has this version under the name. While programs read an older version, the name gets a new inode, as if somebody had
  /// renamed a new file over the old one: pages of two versions never meet in one inode.
  /// So does one that turns out to be another kind of file than it was taken for.
  Result<meta::Node> store_version(InodeId parent, std::string_view name, const ObjectInfo& info, WallTime seen);
  /// Records that the name is absent.
  Result<void> store_absence(InodeId parent, std::string_view name, WallTime seen);

  /// Whether it is a file that a former process was writing when it died: S3 never had it, and nobody has it open.
  bool left_behind(const meta::Node& node) const;

  /// A program has removed the name: those behind it may be next.
  void was_removed(InodeId parent, std::string_view name);
  /// S3 has something new in the directory, by a request of this mount that began at `began`.
  void was_stored_in(InodeId directory, WallTime began);
  /// A program reads the directory, of which a listing that began at `began` has told so many names: what it said of them holds for a window from
  /// now, and longer the more names there are.
  void directory_was_read(InodeId directory, WallTime began, std::uint64_t names);

  bool fresh(WallTime seen) const;
  /// From now on nothing is believed that S3 has said before that moment, for as long as the window may be.
  void doubt_before(WallTime moment);
  /// How long the kernel may believe what was seen then.
  std::chrono::nanoseconds remaining(WallTime seen) const;
  /// How long it may believe what is known of a name. For what is believed beyond the window without being asked for, long enough that a program's calls that follow each
  /// other are not answered one by one.
  std::chrono::nanoseconds told_for(const meta::Node& node) const;

 private:
  enum class Condition { if_changed, none };
  Result<meta::Node> fetch_block(InodeId parent, std::string_view name, std::uint64_t bytes, Condition condition, const CallContext& context);
  Result<meta::Node> store_version(InodeId parent, std::string_view name, const ObjectInfo& info, const FileType& type, WallTime seen);
  void note_nonsense(const ObjectInfo& info, NodeKind taken_for);
  std::optional<meta::Node> confirm_with_others(const meta::Node& known, const Key& key, const CallContext& context);
  Result<void> check_neighbour(InodeId parent, std::string_view name, const CallContext& context);
  Result<meta::Node> find_unseen(InodeId parent, std::string_view name, const CallContext& context, const std::function<LookupIntent()>& intent);
  bool absent_in_outage(InodeId parent, const std::function<LookupIntent()>& intent) const;
  bool may_be_taken_for_new(InodeId parent, std::string_view name) const;
  /// Records what S3 has said of `before`, unless something of this mount came between. Errors: not_found.
  Result<meta::Node> store_confirmed(const meta::Node& before, meta::Node confirmed);
  enum class Purpose { show, open, attributes };
  bool confirmed_enough(Purpose purpose, const meta::Node& node) const;
  Result<meta::Node> confirm_for(Purpose purpose, const meta::Node& node, const CallContext& context);
  Result<meta::Node> confirm_closed(Purpose purpose, const meta::Node& node, const CallContext& context);
  Result<meta::Node> confirm_in_order(const meta::Node& node, const CallContext& context);
  Result<meta::Node> confirm_to_remove(const meta::Node& node, const CallContext& context);
  bool wanted_to_remove(const meta::Node& node, const std::function<LookupIntent()>& intent) const;
  bool sticky(InodeId directory) const;
  Result<meta::Node> apart_from_open(meta::Node node);
  bool listed_lately(const meta::Node& node) const;
  bool believed(const meta::Node& node) const;
  bool stays(const meta::Node& directory) const;
  bool current(const meta::Node& node) const;
  Result<meta::Node> find_unknown(InodeId parent, std::string_view name, const CallContext& context);
  Result<meta::Node> find_by_listing(InodeId parent, std::string_view name, const CallContext& context);
  Result<meta::Node> find_by_small_listing(InodeId parent, std::string_view name, const CallContext& context);
  Result<meta::Node> find_without_listing(InodeId parent, std::string_view name, bool known_directory, const CallContext& context);
  Result<meta::Node> refresh_file(const meta::Node& node, const CallContext& context);
  Result<meta::Node> refresh_directory(const meta::Node& node, const CallContext& context);
  /// `confirmed`: what has been learnt of `node` so far.
  Result<meta::Node> read_marker(const meta::Node& node, meta::Node confirmed, const CallContext& context);
  Result<meta::Node> refresh_directory_by_listing(const meta::Node& node, const CallContext& context);
  bool listing_refused(const Result<meta::Node>& found) const;
  Result<meta::Node> ask_for_headers(InodeId parent, std::string_view name, WallTime began, const CallContext& context);
  Result<meta::Node> not_had(InodeId parent, std::string_view name, WallTime began, const Error& error);
  void adopt_marker(meta::Node& node, const ObjectInfo& info);
  Result<meta::Node> store_directory(InodeId parent, std::string_view name, WallTime seen);
  bool large(InodeId directory) const;
  bool means_absent(const Error& error) const;
  /// The same as store_absence(), unless this mount has made or confirmed the name after `seen`.
  Result<void> absence_seen(InodeId parent, std::string_view name, WallTime seen);
  /// Whether this mount has learnt something between `seen` and now. (What lies in the future is from before the clock was set back.)
  bool overtaken(WallTime seen, WallTime learnt) const;
  Error absent_error(InodeId parent, std::string_view name) const;

  Parts p_;
  const WallTime started_;
  UnknownNamePredictor predictor_;
  DirectoriesRead read_;
  DirectoriesStoredInto stored_into_;
  LargeDirectories large_;
  NameOrder removals_;
  NameOrder looks_;  ///< at names of large directories that only a listing tells of
  ScatteredFiles scattered_;
  std::atomic<std::uint64_t> nonsense_{0};
  std::atomic<WallTime::rep> doubted_before_{0};
};

}  // namespace prefixfs::vfs
