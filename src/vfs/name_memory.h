#pragma once
// Small bounded memories of lookups: names that are not there, what lookups of unknown names turned out to be, what the kernel was not told.

#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "prefixfs/base/clock.h"
#include "prefixfs/vfs/filesystem.h"

namespace prefixfs::vfs {

/// Names known to be absent, each with the moment of that knowledge; the oldest are forgotten. Thread-safe.
class AbsentNames {
 public:
  explicit AbsentNames(std::size_t names_max) : names_max_(names_max) {}
  void add(InodeId parent, std::string_view name, WallTime seen);
  void remove(InodeId parent, std::string_view name);
  /// When the name was last known to be absent; the epoch if never.
  WallTime seen(InodeId parent, std::string_view name) const;

  /// The name is absent here whatever S3 says, until the removal that was acknowledged has been delivered.
  void hold(InodeId parent, std::string_view name, std::uint64_t removal);
  void let_go(InodeId parent, std::string_view name, std::uint64_t removal);
  /// The removal that holds it.
  std::optional<std::uint64_t> held(InodeId parent, std::string_view name) const;

 private:
  struct Known {
    std::string id;
    WallTime seen;
  };
  static std::string id_of(InodeId parent, std::string_view name);

  const std::size_t names_max_;
  mutable std::mutex mutex_;
  std::list<Known> order_;
  std::unordered_map<std::string, std::list<Known>::iterator> by_id_;
  std::unordered_map<std::string, std::uint64_t> held_;
};

/// Directories that programs have just read. What a listing said of the names in them is believed a little longer than the window, so that
/// `ls -l` of many names asks for no single one. Thread-safe.
class DirectoriesRead {
 public:
  /// A program is reading the directory as a listing tells of it that began at `began`; `until`: when it will have looked at the names.
  void add(InodeId directory, WallTime began, WallTime until);
  /// Whether a name is believed that S3 confirmed at `confirmed`: by a listing that somebody is still looking at.
  bool believed(InodeId directory, WallTime confirmed, WallTime now) const;
  /// Whether any has been reading it, if that was not too long ago to be remembered.
  bool contains(InodeId directory) const;

 private:
  static constexpr std::size_t kDirectoriesMax = 10000;
  static constexpr std::size_t kReadersMax = 100;  ///< of one directory
  struct Reader {
    WallTime began;
    WallTime until;
  };
  mutable std::mutex mutex_;
  std::unordered_map<InodeId, std::vector<Reader>> readers_;
};

/// Directories into which this mount has just stored something: they are there, whatever else has become of them. Thread-safe.
class DirectoriesStoredInto {
 public:
  void add(InodeId directory, WallTime stored);
  /// When that was last; the epoch where it was not lately.
  WallTime last(InodeId directory) const;

 private:
  static constexpr std::size_t kDirectoriesMax = 10000;
  mutable std::mutex mutex_;
  std::unordered_map<InodeId, WallTime> last_;
};

/// Predicts, per directory, whether a name that this host has never seen will be an object of another client (then one GET brings
/// attributes and bytes) or a name about to be created (then one listing answers for the object and for a directory of that name).
/// It predicts what came last. Thread-safe.
class UnknownNamePredictor {
 public:
  bool expects_object(InodeId directory) const;
  void learn(InodeId directory, bool was_object);

 private:
  static constexpr std::size_t kDirectoriesMax = 10000;
  mutable std::mutex mutex_;
  std::unordered_map<InodeId, bool> last_;
};

/// In which order something is done with the names of a directory, by one program after another. Thread-safe.
class NameOrder {
 public:
  /// The last name, where this one and the two before it come in order, each within `pause_max` of the one before.
  std::optional<std::string> before(InodeId directory, std::string_view name, WallTime now, std::chrono::nanoseconds pause_max) const;
  void add(InodeId directory, std::string_view name, WallTime now, std::chrono::nanoseconds pause_max);

 private:
  static constexpr std::size_t kDirectoriesMax = 10000;
  static constexpr int kInOrder = 2;  ///< names before this one
  struct Last {
    std::string name;
    WallTime at{};
    int in_order = 0;

    bool leads_to(std::string_view next, WallTime now, std::chrono::nanoseconds pause_max) const { return name < next && now - at < pause_max; }
  };
  mutable std::mutex mutex_;
  std::unordered_map<InodeId, Last> last_;
};

/// Directories whose first listing page turned out not to be all. Thread-safe.
class LargeDirectories {
 public:
  void add(InodeId directory);
  bool contains(InodeId directory) const;

 private:
  static constexpr std::size_t kDirectoriesMax = 10000;
  mutable std::mutex mutex_;
  std::unordered_set<InodeId> known_;
};

/// Files that have just lost their name here, to an unlink or to a rename over them. The kernel may have come to one along a path just before, and
/// asks for it now; a local file system would still have it. The oldest are forgotten. Thread-safe.
class NamelessFiles {
 public:
  explicit NamelessFiles(std::size_t files_max) : files_max_(files_max) {}
  void add(const meta::Node& file);
  std::optional<meta::Node> find(InodeId file) const;

 private:
  const std::size_t files_max_;
  mutable std::mutex mutex_;
  std::list<meta::Node> files_;
};

/// Files of which a listing has brought another version than the kernel was told: it would read them only up to the size it knows; and directories by whose
/// old permissions it has judged. The oldest are forgotten; by then the kernel does not believe what it was told any more. Thread-safe.
class UntoldVersions {
 public:
  explicit UntoldVersions(std::size_t files_max) : files_max_(files_max) {}
  void add(InodeId inode);
  void remove(InodeId inode);
  bool contains(InodeId inode) const;

 private:
  const std::size_t files_max_;
  mutable std::mutex mutex_;
  std::list<InodeId> order_;
  std::unordered_map<InodeId, std::list<InodeId>::iterator> by_id_;
};

}  // namespace prefixfs::vfs
