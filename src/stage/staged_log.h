#pragma once
// The ranges of a staged file, written down as they change, so that they outlive a killed process (not a power loss: nothing is synced).

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "prefixfs/base/result.h"
#include "prefixfs/base/unique_fd.h"
#include "prefixfs/stage/staged_file.h"
#include "spare_files.h"

namespace prefixfs::stage {

/// Not thread-safe. The format is in README.md.
class StagedLog {
 public:
  enum class Change : std::uint8_t {
    written = 1,  ///< begin, end, and the request that did it; the file is at least as long as `end`
    filled = 2,   ///< begin, end
    voided = 3,   ///< begin, end: neither valid nor dirty
    resized = 4,  ///< begin: the new size
    cleaned = 5,  ///< all of it is stored
    noted = 6,    ///< begin: so many bytes follow
  };

  /// A new log that begins with this state, in one of `spares`. Errors: no_space, io.
  static Result<StagedLog> begin(const std::filesystem::path& path, const std::string& boot_id, const FormerFile& file, SpareFiles& spares);
  /// What a log says; nothing where it is of another boot of the machine, or was cut off before its first state. A record that is not whole ends it.
  static std::optional<FormerFile> read(const std::filesystem::path& path, const std::string& boot_id);

  /// False: it could not be written; the log is void then.
  bool add(Change change, ByteRange range, std::uint64_t request = 0);
  bool add_note(const std::string& note);
  void remove(SpareFiles& spares) { spares.give({std::move(path_), std::move(fd_)}); }

 private:
  struct Record {
    std::uint64_t change = 0;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t request = 0;
  };
  StagedLog(std::filesystem::path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  static void append_record(std::string& text, Change change, ByteRange range, std::uint64_t request = 0);
  static bool apply(const Record& record, FormerFile& file, RangeSet& valid, RangeSet& dirty);

  std::filesystem::path path_;
  UniqueFd fd_;
  std::uint64_t end_ = 0;
  std::optional<Record> last_;  ///< a write that the next one may go on from
};

}  // namespace prefixfs::stage
