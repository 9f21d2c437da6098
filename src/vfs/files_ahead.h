#pragma once
// Where programs read the files of a directory one after another, the next ones are fetched before they ask.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "prefixfs/base/worker_pool.h"
#include "reading_order.h"
#include "resolver.h"
#include "subtree_gate.h"

namespace prefixfs::vfs {

/// Thread-safe; its mutex is a leaf. What is fetched is known and believed as if another program had opened the file a moment ago: open() decides by that,
/// with the rules that it always has. What cannot be fetched is left to whoever opens it.
class FilesAhead {
 public:
  struct Parts {
    const Settings& settings;
    meta::NodeCache& nodes;
    SubtreeGate& gate;
    Resolver& resolver;
    UntoldVersions& untold;
    const Clock& clock;
  };
  explicit FilesAhead(const Parts& parts);
  /// Gives up what is on its way.
  ~FilesAhead();

  /// A program is going to open the file to read it: fetches those that it will open next.
  void opened(InodeId file, const CallContext& context);
  /// After opened(), with no pass of the gate held: waits for the file itself, where it is on its way.
  void wait_for(InodeId file, const CallContext& context);
  /// A program has closed a file that is larger than its first block; `whole`: all of it was read. So will be the next ones.
  void closed(InodeId directory, bool whole);

 private:
  struct Directory {
    explicit Directory(const FilesAheadLimits& limits) : order(limits) {}
    ReadingOrder order;
    bool reads_whole = false;
  };
  Directory& directory_locked(InodeId id);
  bool continues_locked(InodeId directory, SteadyTime now) const;
  bool is_first_file(const meta::Node& file) const;
  void note(const meta::Node& file);
  void learn_names(InodeId directory);
  std::uint64_t bytes_of(const meta::Node& file, bool whole) const;
  void start(InodeId directory, const CallContext& context);
  std::uint64_t left_behind_locked(const ReadingOrder& now) const;
  void fetch(InodeId file, std::uint64_t bytes, const CallContext& context);
  Result<void> fetch_beginning(InodeId file, std::uint64_t bytes, const CallContext& context);
  bool begins(InodeId file);
  void ends(InodeId file, const Result<void>& fetched);

  const Parts p_;
  const FilesAheadLimits limits_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::unordered_map<InodeId, Directory> directories_;  ///< by the directory's inode
  std::unordered_map<InodeId, bool> on_their_way_;       ///< files; whether S3 has been asked by now
  std::uint64_t opened_bytes_ = 0;
  std::uint64_t unused_bytes_ = 0;
  SteadyTime paused_until_{};
  std::stop_source ended_;
  std::optional<WorkerPool> pool_;  // from the first file on; last: its threads use all of the above
};

}  // namespace prefixfs::vfs
