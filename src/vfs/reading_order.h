#pragma once
// In which order programs open the files of a directory, and which of the next ones are worth fetching before they ask: a pure function of what was
// opened before.

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "prefixfs/base/clock.h"
#include "prefixfs/vfs/filesystem.h"

namespace prefixfs::vfs {

struct FilesAheadLimits {
  std::size_t files_max = 64;
  std::uint64_t bytes_max = 32 << 20;
  std::chrono::nanoseconds believed_for = std::chrono::seconds(1);  ///< what is fetched is to be opened within that time
};

/// A file that stands behind those which were opened.
struct NextFile {
  InodeId id = 0;
  std::uint64_t bytes = 0;  ///< what fetching it ahead moves
};

/// One for each directory; not thread-safe.
/// The files are opened in order when each is one of the few that stand next: several programs, or the threads of one, may share the work, and names
/// may be left out. After the second file in order the next two are worth fetching, then twice as many with each, up to files_max; never more than a program
/// of this pace will open while what was fetched is believed. Where names are left out that were fetched, there is a pause.
class ReadingOrder {
 public:
  explicit ReadingOrder(const FilesAheadLimits& limits) : limits_(limits) {}

  /// A program opens the file. Whether the order goes on: it is one of the next ones (or was, a moment ago), or one of few that stand elsewhere.
  bool follows(InodeId file, SteadyTime now);
  /// It does not: another one begins behind the file. `continued`: programs have just come from another directory, which they read in order.
  void begin(InodeId file, std::string name, bool continued, SteadyTime now);

  /// Behind this name further files are wanted, if any are.
  const std::string* wants_names() const;
  /// The files that stand behind `after`, up to the name `last`; empty: there are no more. Ignored where they have been told already.
  void add(std::string_view after, std::vector<NextFile> files, std::string last);

  /// Those that are to be fetched now; each is given once.
  std::vector<NextFile> take();

  SteadyTime began_at() const { return began_at_; }
  SteadyTime advanced_at() const { return advanced_at_; }
  /// Of the files that were fetched and have not been opened yet.
  std::uint64_t bytes_ahead() const;
  /// Whether programs read in order here.
  bool in_order() const { return run_ >= kBelievedAfter; }
  /// What was fetched and left out since the last call.
  std::uint64_t take_unused();
  /// What was fetched and not opened so far counts as left out.
  void give_up();

 private:
  struct Entry {
    NextFile file;
    bool fetched = false;
    bool opened = false;
  };
  static constexpr std::size_t kBelievedAfter = 2;
  void note_pace(SteadyTime now);
  void drop_passed();
  void leave_out(const Entry& entry);
  std::size_t depth() const;

  FilesAheadLimits limits_;
  std::deque<Entry> next_;        ///< in order, from the first that was left out and may still come
  std::size_t position_ = 0;      ///< in next_: behind the last one that was opened
  std::deque<InodeId> recent_;    ///< that have left next_
  std::string known_up_to_;       ///< the name behind which there may be more; empty: there are none
  std::size_t run_ = 0;           ///< files opened in order
  std::size_t strays_ = 0;        ///< in a row that stand elsewhere
  std::size_t left_out_ = 0;      ///< of this run: fetched and passed over
  std::uint64_t unused_ = 0;
  SteadyTime began_at_{};
  SteadyTime advanced_at_{};
  std::chrono::nanoseconds pace_{};  ///< from one file to the next
};

}  // namespace prefixfs::vfs
