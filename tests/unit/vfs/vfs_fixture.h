#pragma once
// A whole Filesystem on a store in memory: real metadata cache, real staged files, a clock that stands still, every request counted.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "prefixfs/sync/journalled_uploads.h"
#include "prefixfs/telemetry/log.h"
#include "prefixfs/vfs/filesystem.h"
#include "support/fake_clock.h"
#include "support/fake_processes.h"
#include "support/faulty_store.h"
#include "support/memory_store.h"
#include "support/temp_dir.h"

namespace prefixfs::vfs {

using namespace std::chrono_literals;

struct MountSettings {
  Settings settings{.files_ahead_max = 0};  // a test counts what it asks for itself
  sync::UploaderOptions upload;
  std::uint64_t stage_bytes = 1ULL << 30;
  bool locks = false;  ///< as with locks=s3
};

/// Small blocks and parts, so that files of a few hundred KiB are large.
inline MountSettings small_parts() {
  MountSettings given;
  given.settings.first_block_bytes = 4 << 10;
  given.settings.read_part_bytes = 64 << 10;
  given.settings.read_parts_ahead = 3;
  given.upload.limits.part_bytes = 64 << 10;
  given.upload.limits.part_bytes_min = 16 << 10;
  return given;
}

inline std::string pattern(std::size_t size, unsigned seed = 1) {
  std::string text(size, '\0');
  std::mt19937 engine(seed);
  std::ranges::generate(text, [&] { return static_cast<char>('a' + engine() % 26); });
  return text;
}

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

/// One mount. Other clients are calls of `memory`; what the mount itself asks is in requests().
class Mount {
 public:
  explicit Mount(const MountSettings& given = {});
  ~Mount();
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;

  /// The same cache directory again, as after a restart of the program.
  void restart();

  /// The cache directory as a process would leave it that is killed now.
  void remember_state();
  /// kill -9 at the moment of remember_state().
  void die_there();
  void die();

  /// The same after a power loss: what is not synced is gone.
  void restart_without_cache();

  Filesystem& fs() { return *filesystem_; }
  meta::NodeCache& nodes() { return *meta_.nodes; }
  locks::Locks& locks() { return *locks_; }
  stage::StageDirectory& stage() { return *stage_; }
  const Caller& caller() const { return caller_; }

  /// "GetObject a/b" for each request since the last call.
  std::vector<std::string> requests();
  /// The freshness window ends.
  void window_ends() { clock.advance(given_.settings.freshness + 1ms); }

  Result<Entry> lookup(std::string_view path);
  InodeId id(std::string_view path);

  /// As the kernel does: after ESTALE it looks the name up once more.
  Result<HandleId> open(std::string_view path, int flags);
  Result<HandleId> open_once(std::string_view path, int flags);
  Result<HandleId> create(InodeId parent, std::string_view name, int flags = O_WRONLY, std::uint32_t mode = 0644);
  Result<void> write(HandleId handle, std::uint64_t offset, std::string_view text);
  Result<std::string> read(HandleId handle, std::uint64_t offset = 0, std::size_t size = 1 << 20);
  /// close(2) of the only descriptor.
  Result<void> close(HandleId handle);

  Result<std::string> read_file(std::string_view path);
  Result<void> create_file(InodeId parent, std::string_view name, std::string_view text, int flags = O_WRONLY);
  /// Opens an existing file with `flags`, writes at `offset`, closes.
  Result<void> change_file(std::string_view path, int flags, std::uint64_t offset, std::string_view text);

  /// All names of a directory, in the order given, `batch` of them for each call of readdir.
  Result<std::vector<std::string>> names(InodeId directory, std::size_t batch = 100);

  /// The disk fails: no staged file can be made any more.
  void lose_kept() { std::filesystem::remove_all(directory_.path() / "state" / "kept"); }
  void lose_stage() { std::filesystem::remove_all(directory_.path() / "state" / "stage"); }

  /// The contents of what was put aside in kept/, in the order of the names.
  std::vector<std::string> kept() const;
  std::vector<std::string> kept_names() const;
  /// Staged files that are still there.
  std::size_t staged_files() const;

  std::unique_ptr<Log> log_ = make_null_log();
  /// What the kernel still has open; for the next start.
  std::function<void()> reopen;
  /// What a test puts between the file system and the journal; for the next start.
  std::function<std::unique_ptr<meta::Journal>(meta::Journal&)> wrap_journal;
  test::FakeProcesses processes;
  test::FakeClock clock;
  test::MemoryStore memory{clock};
  test::FaultyStore store{memory};
  s3::Breaker breaker{clock, *log_};

 private:
  std::filesystem::path remembered() const { return directory_.path() / "remembered"; }
  void start();
  void stop();

  /// The kernel knows a descriptor's flags, and says them with every write.
  HandleId remember(HandleId handle, int flags);
  bool appends(HandleId handle);

  SystemRandom random_;
  std::mutex flags_mutex_;
  std::map<HandleId, int> flags_;
  MountSettings given_;
  test::TempDir directory_;
  std::unique_ptr<stage::StageDirectory> stage_;
  meta::MetaStore meta_;
  std::unique_ptr<meta::Journal> journal_;
  std::unique_ptr<s3::ObjectStore> journalled_;
  std::unique_ptr<WorkerPool> fetchers_;
  std::unique_ptr<WorkerPool> uploaders_;
  std::unique_ptr<sync::Uploader> uploader_;
  std::unique_ptr<locks::Locks> locks_;
  std::unique_ptr<Filesystem> filesystem_;
  Caller caller_{.uid = 1000, .gid = 1000, .context = {}};
};

class VfsTest : public ::testing::Test {
 protected:
  static constexpr InodeId kRoot = meta::kRootInode;
};

template <class T>
::testing::AssertionResult succeeded(const Result<T>& result) {
  return result ? ::testing::AssertionSuccess() : ::testing::AssertionFailure() << describe(result.error());
}

template <class T>
::testing::AssertionResult fails_with(const Result<T>& result, Errc code) {
  if (result) {
    return ::testing::AssertionFailure() << "success instead of " << to_string(code);
  }
  if (result.error().code != code) {
    return ::testing::AssertionFailure() << "instead of " << to_string(code) << ": " << describe(result.error());
  }
  return ::testing::AssertionSuccess();
}

#define EXPECT_OK(...) EXPECT_TRUE(::prefixfs::vfs::succeeded(__VA_ARGS__))
#define ASSERT_OK(...) ASSERT_TRUE(::prefixfs::vfs::succeeded(__VA_ARGS__))
#define EXPECT_ERRC(expression, code) EXPECT_TRUE(::prefixfs::vfs::fails_with((expression), (code)))

}  // namespace prefixfs::vfs
