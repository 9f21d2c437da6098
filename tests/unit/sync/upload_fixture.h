#pragma once
// A staged file, a store in memory that can fail, and limits so small that a file of some KiB has many parts.

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "prefixfs/sync/file_upload.h"
#include "support/fake_clock.h"
#include "support/faulty_store.h"
#include "support/memory_store.h"
#include "support/temp_dir.h"

namespace prefixfs::sync {

inline std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

/// Bytes that differ from place to place.
inline std::string pattern(std::size_t size, unsigned salt = 0) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>((i * 2654435761U + salt) >> 7);
  }
  return text;
}

class UploadTest : public ::testing::Test {
 protected:
  UploadTest() { memory_.set_part_bytes_min(options_.limits.part_bytes_min); }

  std::shared_ptr<stage::StagedFile> new_file(std::string_view text = {}) {
    auto file = std::move(*stage_->create(0));
    EXPECT_TRUE(file->write(0, bytes(text)));
    return file;
  }
  /// Stores `text` under the target's key, and opens it: nothing of it is local yet.
  std::shared_ptr<stage::StagedFile> stored_file(std::string_view text) {
    target_.base_etag = memory_.put_text(target_.key.str(), text);
    target_.condition = s3::WriteCondition::if_match(target_.base_etag);
    return std::move(*stage_->create(text.size()));
  }
  std::unique_ptr<FileUpload> start(std::shared_ptr<stage::StagedFile> file) {
    file_ = file;
    return Uploader(store_, pool_, options_, clock_, *log_).start(std::move(file));
  }
  /// Fetches from the object, as vfs does, and counts the bytes.
  FillRanges fill() {
    return [this](const std::vector<ByteRange>& ranges, const CallContext&) -> Result<void> {
      const std::string text = memory_.text(target_.key.str()).value_or("");
      for (const ByteRange& range : ranges) {
        filled_ += range.length();
        TRY(file_->fill(range.begin, bytes(text).subspan(range.begin, range.length())));
      }
      return {};
    };
  }
  std::optional<std::string> object() const { return memory_.text(target_.key.str()); }
  /// Writes like a program that writes in order and reports it.
  void append(FileUpload& upload, std::string_view text) {
    const std::uint64_t at = file_->size();
    ASSERT_TRUE(file_->write(at, bytes(text)));
    upload.wrote({at, at + text.size()}, at + text.size(), target_);
  }
  template <class Condition>
  static bool eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    return condition();
  }

  test::TempDir temp_;
  test::FakeClock clock_;
  test::MemoryStore memory_{clock_};
  test::FaultyStore store_{memory_};
  std::unique_ptr<Log> log_ = make_null_log();
  std::unique_ptr<stage::StageDirectory> stage_ = std::move(*stage::StageDirectory::open(temp_.path(), 64 << 20));
  UploaderOptions options_{.limits = {.part_bytes = 1000, .part_bytes_min = 500, .copy_bytes_max = 5000, .parts_max = 120},
                           .parts_in_flight_per_file = 3};
  UploadTarget target_{.key = Key("dir/file"), .headers = {}, .condition = {}, .base_etag = {}};
  std::shared_ptr<stage::StagedFile> file_;
  std::uint64_t filled_ = 0;
  const SteadyTime began_ = std::chrono::steady_clock::now();
  WorkerPool pool_{"parts", 4};  // last: its tasks end before what they use goes
};

/// Holds calls of the store back until it is opened.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool somebody_waits(int count = 1) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return waiting_ >= count; });
  }
  int waiting() {
    const std::lock_guard lock(mutex_);
    return waiting_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

}  // namespace prefixfs::sync
