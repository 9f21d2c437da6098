#pragma once
// What this host knows of names below the mount: one record per name, kept over restarts. A cache: it may be deleted at any time.
// Who may be believed for how long is decided by vfs, from `checked_at`. Format: src/meta/FORMAT.md. Hides LMDB.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "prefixfs/base/clock.h"
#include "prefixfs/base/result.h"
#include "prefixfs/meta/xattrs.h"
#include "prefixfs/object/etag.h"

namespace prefixfs::meta {

/// Stable over restarts and never used for anything else again. 1 is the mount's root.
using InodeId = std::uint64_t;
inline constexpr InodeId kRootInode = 1;

/// All but directories are one object each, under the name itself.
enum class NodeKind : std::uint8_t {
  file = 1,
  directory = 2,
  symlink = 3,
  fifo = 4,
  socket = 5,
  character_device = 6,
  block_device = 7,
};
constexpr bool is_device(NodeKind kind) { return kind == NodeKind::character_device || kind == NodeKind::block_device; }
/// Of a symlink, as Linux has it; a longer one is none.
inline constexpr std::size_t kTargetBytesMax = 4095;

/// What user metadata of an object says.
struct PosixAttributes {
  std::uint32_t mode = 0;  ///< permission bits with set-id and sticky, no type
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t mtime_ns = 0;  ///< since the epoch
  std::optional<std::int64_t> atime_ns = {};  ///< set by a program; nothing: as mtime_ns
  Xattrs xattrs = {};
  friend bool operator==(const PosixAttributes&, const PosixAttributes&) = default;
};

struct Node {
  InodeId id = 0;
  InodeId parent = 0;
  std::string name;  ///< one component; empty for the root
  NodeKind kind = NodeKind::file;
  std::uint32_t rdev = 0;  ///< of a device, as the kernel encodes it in 32 bits
  std::string target;      ///< of a symlink, as far as it is known
  std::uint64_t size = 0;
  ETag etag;               ///< of the object (or of a directory's marker); empty when there is none yet
  WallTime last_modified{};
  std::string storage_class;
  PosixAttributes posix;
  bool posix_exact = false;  ///< `posix` is from this version's own metadata, not a default
  bool local = false;        ///< exists on this mount and not (yet) in S3: a file being written, a directory that stays until rmdir
  WallTime checked_at{};     ///< when S3 last confirmed it, or this host last wrote it
  WallTime changed_at{};     ///< when this host last changed this version or its attributes; epoch: it has not

  friend bool operator==(const Node&, const Node&) = default;
};

/// Where a name stands among its siblings: S3 lists "a-b" before "a/", and a file has the place that a directory of its name would have, so that
/// a listing which has come to some key has told of all names before that place, whatever they are. No name stands before "".
inline std::string place_of(std::string_view name) { return name.empty() ? std::string() : std::string(name) + '/'; }
/// Some of the siblings. Any text may be a bound.
struct PlaceSpan {
  std::string behind;                 ///< "": from the first
  std::optional<std::string> up_to;   ///< included; nothing: to the last
};

/// What is known of a directory's listing.
struct ListingState {
  WallTime listed_at{};       ///< when the last complete listing began; epoch: never
  bool complete = false;      ///< all names of that moment are in the cache
  std::uint64_t entries = 0;  ///< of that listing
  std::uint32_t pages = 0;
  friend bool operator==(const ListingState&, const ListingState&) = default;
};

/// Thread-safe; no call blocks on the network. Errors: io, no_space (map or disk full), corrupt (the environment; the next start makes a
/// new one),
/// invalid and name_too_long (a name of 0 or more than 255 bytes). A record that cannot be read is dropped, counted and treated as absent.
/// The root always is there: get(kRootInode) gives at least {id 1, parent 1, no name, directory}; put() of it stores its attributes.
class NodeCache {
 public:
  virtual ~NodeCache() = default;

  virtual Result<std::optional<Node>> find(InodeId parent, std::string_view name) = 0;
  virtual Result<std::optional<Node>> get(InodeId id) = 0;

  /// Writes the record under (parent, name). An id of 0 asks for one: that of the present record of this name, or a new one (also where
  /// the present one is of the other kind: an inode never changes its type).
  /// Gives back what was stored. Any other record with the same id (another name) is dropped: a node has one name.
  /// A directory that loses its name to another id goes as by erase().
  virtual Result<Node> put(Node node) = 0;
  /// The same, but only while the record of `before`'s name still is `before`, a touch() aside, which `node` takes over. Gives back the record of that name afterwards: what was stored, or what
  /// stands there instead; nothing where there is none.
  virtual Result<std::optional<Node>> put_if_unchanged(const Node& before, Node node) = 0;
  /// Names were made, renamed or removed in the directory at that moment, which is its mtime and changed_at from now on. Not known: nothing happens.
  virtual Result<void> touch(InodeId directory, WallTime at) = 0;
  /// As put(), for one page of a listing in one transaction. A record whose present `checked_at` is later than
  /// the new one's is left alone, and so are records that are `local` and no directories. What a listing cannot know stays: kind and exact posix attributes
  /// of a version with the same ETag, and for a directory without an ETag here those of its marker. Afterwards `nodes` hold what is stored.
  /// Gives back the files whose version (ETag or size) is another one now than before.
  virtual Result<std::vector<InodeId>> put_page(InodeId parent, std::vector<Node>& nodes) = 0;
  /// Removes the record of that name and, for a directory, what lies below it. Nothing there: success.
  virtual Result<void> erase(InodeId parent, std::string_view name) = 0;
  /// Gives the node another name and parent; a record that has the new name is dropped (its inode id is not reused). Errors: not_found.
  /// The caller sees to it that no directory moves below itself.
  virtual Result<Node> move(InodeId id, InodeId new_parent, std::string_view new_name) = 0;

  /// A listing that began at `began` has told of all that stands in `span`: drops the records of `parent` there with an earlier checked_at that
  /// are not `local` (and have nothing `local` below them). Gives back how many stay that it has confirmed.
  virtual Result<std::uint64_t> drop_unlisted(InodeId parent, const PlaceSpan& span, WallTime began) = 0;
  virtual Result<void> put_listing(InodeId parent, const ListingState& state) = 0;
  virtual Result<ListingState> listing(InodeId parent) = 0;
  virtual Result<void> forget_listing(InodeId parent) = 0;

  /// Up to `limit` children in the order of their places: the first ones that stand in `span`.
  virtual Result<std::vector<Node>> children(InodeId parent, const PlaceSpan& span, std::size_t limit) = 0;
  virtual Result<bool> has_children(InodeId parent) = 0;
  /// What a shortened name stands for (object/shown_name.h); kept as long as the cache. Errors: exists (another part has that name).
  virtual Result<void> remember_part(std::string_view name, std::string_view part) = 0;
  virtual Result<std::optional<std::string>> part_of(std::string_view name) = 0;
  /// Records that could not be read since the start.
  virtual std::uint64_t dropped_records() const = 0;
};

class Journal;

/// Durable small facts (synced): for the endpoint's region and capabilities.
class FactStore {
 public:
  virtual ~FactStore() = default;
  virtual Result<std::optional<std::string>> get(std::string_view name) = 0;
  virtual Result<void> put(std::string_view name, std::string_view value) = 0;
};

/// The two LMDB environments of one cache directory: `cache/` (not synced, thrown away after an unclean boot or when its format is
/// older) and `journal/` (synced, never thrown away; holds the inode counter, facts, and the journal of intents).
struct MetaStore {
  MetaStore();
  MetaStore(MetaStore&&) noexcept;
  MetaStore& operator=(MetaStore&&) noexcept;
  ~MetaStore();  // where Journal is known

  std::unique_ptr<NodeCache> nodes;
  std::unique_ptr<FactStore> facts;
  std::unique_ptr<Journal> journal;  // journal.h
};

struct MetaOptions {
  std::string directory;                         ///< exists, mode 0700
  std::string source;                            ///< "endpoint bucket/prefix": a cache of another source is refused (invalid), by name
  std::uint64_t cache_map_bytes = 4ULL << 30;    ///< address space, not memory
  std::uint64_t journal_map_bytes = 1ULL << 30;
};
/// Its members may be destroyed in any order. Once per directory and process at a time.
/// Errors: io, denied (directory not writable), invalid (made for another source, or by a newer version), corrupt (journal unreadable),
/// no_space.
Result<MetaStore> open_meta(const MetaOptions& options, const Clock& clock);

}  // namespace prefixfs::meta
