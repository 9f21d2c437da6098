#pragma once
// A whole Filesystem on a store in memory: real metadata cache, real staged files, a clock that stands still, every request counted.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <sstream>
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
  explicit Mount(const MountSettings& given = {}) : given_(given) { start(); }
  ~Mount() { stop(); }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;

  /// The same cache directory again, as after a restart of the program.
  void restart() {
    stop();
    start();
  }

  /// The cache directory as a process would leave it that is killed now.
  void remember_state() {
    std::filesystem::remove_all(remembered());
    std::filesystem::copy(directory_.path() / "state", remembered(), std::filesystem::copy_options::recursive);
  }
  /// kill -9 at the moment of remember_state().
  void die_there() {
    stop();
    std::filesystem::remove_all(directory_.path() / "state");
    std::filesystem::rename(remembered(), directory_.path() / "state");
    start();
  }
  void die() {
    remember_state();
    die_there();
  }

  /// The same after a power loss: what is not synced is gone.
  void restart_without_cache() {
    stop();
    std::filesystem::remove_all(directory_.path() / "state" / "cache");
    start();
  }

  Filesystem& fs() { return *filesystem_; }
  meta::NodeCache& nodes() { return *meta_.nodes; }
  locks::Locks& locks() { return *locks_; }
  stage::StageDirectory& stage() { return *stage_; }
  const Caller& caller() const { return caller_; }

  /// "GetObject a/b" for each request since the last call.
  std::vector<std::string> requests() {
    std::vector<std::string> lines;
    for (const auto& call : store.calls()) {
      lines.push_back(call.operation + " " + call.key);
    }
    store.forget_calls();
    return lines;
  }
  /// The freshness window ends.
  void window_ends() { clock.advance(given_.settings.freshness + 1ms); }

  Result<Entry> lookup(std::string_view path) {
    Entry entry;
    entry.attributes = {.id = meta::kRootInode, .kind = NodeKind::directory};
    std::istringstream parts{std::string(path)};
    for (std::string name; std::getline(parts, name, '/');) {
      TRY_ASSIGN(entry, fs().lookup(entry.attributes.id, name, caller_));
    }
    return entry;
  }
  InodeId id(std::string_view path) {
    const auto entry = lookup(path);
    EXPECT_TRUE(entry) << path << ": " << (entry ? "" : describe(entry.error()));
    return entry ? entry->attributes.id : 0;
  }

  /// As the kernel does: after ESTALE it looks the name up once more.
  Result<HandleId> open(std::string_view path, int flags) {
    auto opened = open_once(path, flags);
    return !opened && opened.error().code == Errc::stale ? open_once(path, flags) : std::move(opened);
  }
  Result<HandleId> open_once(std::string_view path, int flags) {
    TRY_ASSIGN(const Entry entry, lookup(path));
    TRY_ASSIGN(const Opened opened, fs().open(entry.attributes.id, flags, caller_));
    return remember(opened.handle, flags);
  }
  Result<HandleId> create(InodeId parent, std::string_view name, int flags = O_WRONLY, std::uint32_t mode = 0644) {
    TRY_ASSIGN(const Created created, fs().create(parent, name, mode, flags | O_CREAT, caller_));
    return remember(created.opened.handle, flags);
  }
  Result<void> write(HandleId handle, std::uint64_t offset, std::string_view text) {
    TRY_ASSIGN(const std::size_t written, fs().write(handle, appends(handle) ? std::nullopt : std::optional(offset), bytes_of(text), caller_));
    EXPECT_EQ(written, text.size());
    return {};
  }
  Result<std::string> read(HandleId handle, std::uint64_t offset = 0, std::size_t size = 1 << 20) {
    std::string text(size, '\0');
    TRY_ASSIGN(const std::size_t got, fs().read(handle, offset, std::as_writable_bytes(std::span(text.data(), size)), caller_));
    text.resize(got);
    return text;
  }
  /// close(2) of the only descriptor.
  Result<void> close(HandleId handle) {
    const auto flushed = fs().flush(handle, caller_);
    fs().release(handle);
    return flushed;
  }

  Result<std::string> read_file(std::string_view path) {
    TRY_ASSIGN(const HandleId handle, open(path, O_RDONLY));
    auto text = read(handle);
    TRY(close(handle));
    return text;
  }
  Result<void> create_file(InodeId parent, std::string_view name, std::string_view text, int flags = O_WRONLY) {
    TRY_ASSIGN(const HandleId handle, create(parent, name, flags));
    const auto written = write(handle, 0, text);
    const auto closed = close(handle);
    return written ? closed : written;
  }
  /// Opens an existing file with `flags`, writes at `offset`, closes.
  Result<void> change_file(std::string_view path, int flags, std::uint64_t offset, std::string_view text) {
    TRY_ASSIGN(const HandleId handle, open(path, flags));
    const auto written = write(handle, offset, text);
    const auto closed = close(handle);
    return written ? closed : written;
  }

  /// All names of a directory, in the order given, `batch` of them for each call of readdir.
  Result<std::vector<std::string>> names(InodeId directory, std::size_t batch = 100) {
    TRY_ASSIGN(const HandleId handle, fs().opendir(directory, caller_));
    std::vector<std::string> all;
    std::uint64_t position = 0;
    for (bool more = true; more;) {
      std::size_t given = 0;
      const auto outcome = fs().readdir(handle, position, [&](const DirectoryEntry& entry) {
        if (given == batch) {
          return false;
        }
        ++given;
        position = entry.position;
        if (entry.name != "." && entry.name != "..") {
          all.push_back(entry.name);
        }
        return true;
      }, caller_);
      if (!outcome) {
        fs().releasedir(handle);
        return fail(outcome.error());
      }
      more = given > 0;
    }
    fs().releasedir(handle);
    return all;
  }

  /// The disk fails: no staged file can be made any more.
  void lose_kept() { std::filesystem::remove_all(directory_.path() / "state" / "kept"); }
  void lose_stage() { std::filesystem::remove_all(directory_.path() / "state" / "stage"); }

  /// The contents of what was put aside in kept/, in the order of the names.
  std::vector<std::string> kept() const {
    std::vector<std::string> texts;
    for (const auto& name : kept_names()) {
      std::ifstream file(directory_.path() / "state" / "kept" / name, std::ios::binary);
      std::ostringstream text;
      text << file.rdbuf();
      texts.push_back(text.str());
    }
    return texts;
  }
  std::vector<std::string> kept_names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path() / "state" / "kept")) {
      if (entry.path().extension() != ".why") {
        names.push_back(entry.path().filename());
      }
    }
    std::ranges::sort(names);
    return names;
  }
  /// Staged files that are still there.
  std::size_t staged_files() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory_.path() / "state" / "stage")) {
      ++count;
    }
    return count;
  }

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
  void start() {
    const std::string state = directory_.file("state");
    auto stage = stage::StageDirectory::open(state, given_.stage_bytes, "boot");
    ASSERT_TRUE(stage) << describe(stage.error());
    stage_ = std::move(*stage);
    auto meta = meta::open_meta({.directory = state, .source = "test", .cache_map_bytes = 256 << 20, .journal_map_bytes = 16 << 20}, clock);
    ASSERT_TRUE(meta) << describe(meta.error());
    meta_ = std::move(*meta);
    fetchers_ = std::make_unique<WorkerPool>("fetch", 4);
    uploaders_ = std::make_unique<WorkerPool>("upload", 4);
    journal_ = wrap_journal ? wrap_journal(*meta_.journal) : nullptr;
    meta::Journal& journal = journal_ ? *journal_ : *meta_.journal;
    journalled_ = sync::make_journalled_uploads(store, journal, clock, *log_);
    uploader_ = std::make_unique<sync::Uploader>(*journalled_, *uploaders_, given_.upload, clock, *log_);
    if (given_.locks) {
      locks_ = std::make_unique<locks::Locks>(locks::Options(), *journalled_, clock, random_, *log_);
    }
    filesystem_ = std::make_unique<Filesystem>(
        given_.settings, Surroundings{*journalled_, store, breaker, *meta_.nodes, journal, *stage_, *uploader_, *fetchers_, processes, clock, random_, *log_,
                                      locks_.get()});
    EXPECT_TRUE(filesystem_->recover());
    if (reopen) {
      reopen();
    }
    filesystem_->end_reopening();
  }
  void stop() {
    filesystem_.reset();
    locks_.reset();
    uploader_.reset();
    uploaders_.reset();
    fetchers_.reset();
    journalled_.reset();
    journal_.reset();
    meta_ = {};
    stage_.reset();
  }

  /// The kernel knows a descriptor's flags, and says them with every write.
  HandleId remember(HandleId handle, int flags) {
    const std::lock_guard lock(flags_mutex_);
    flags_[handle] = flags;
    return handle;
  }
  bool appends(HandleId handle) {
    const std::lock_guard lock(flags_mutex_);
    return (flags_[handle] & O_APPEND) != 0;
  }

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
