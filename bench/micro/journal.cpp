// What an acknowledgement from the journal costs on this host's disk: a file of 20 KB is staged and synced, and its intent is committed, by so many
// writers at once. `commits_per_file` falls below 1 where writers share a synced transaction.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "prefixfs/meta/journal.h"
#include "prefixfs/meta/node_cache.h"
#include "prefixfs/stage/staged_file.h"

namespace {

using namespace prefixfs;

constexpr int kFilesOfAWriter = 20;
constexpr std::size_t kFileBytes = 20'000;

class Disk {
 public:
  Disk() {
    std::string pattern = (std::filesystem::temp_directory_path() / "prefixfs-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      return;
    }
    directory_ = pattern;
    auto stage = stage::StageDirectory::open(directory_, 1ULL << 30);
    auto meta = meta::open_meta({.directory = directory_.string(), .source = "bench s3://bench/"}, clock_);
    if (stage && meta) {
      meta_ = std::move(*meta);
      stage_ = std::move(*stage);
    }
  }
  ~Disk() {
    stage_.reset();
    meta_ = {};
    if (!directory_.empty()) {
      std::filesystem::remove_all(directory_);
    }
  }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  bool ready() const { return stage_ != nullptr; }
  meta::Journal& journal() { return *meta_.journal; }

  /// As close() with commit=journal does it. The id, or 0.
  meta::IntentId acknowledge(std::span<const std::byte> data) {
    auto staged = stage_->create(0);
    const auto id = journal().next_id();
    if (!staged || !id || !(*staged)->write(0, data) || !(*staged)->sync()) {
      return 0;
    }
    (*staged)->retain(true);
    const stage::FileState state = (*staged)->state();
    meta::Intent intent{.id = *id, .kind = meta::IntentKind::store, .inode = *id, .path = fmt::format("uploads/{:08}.pdf", *id), .since = clock_.now()};
    intent.bytes = meta::StagedBytes{.name = state.name, .size = state.size, .base_size = 0, .valid = state.valid, .dirty = state.dirty};
    const bool written = journal().apply({.put = {std::move(intent)}, .erase = {}}).has_value();
    (*staged)->retain(false);
    return written ? *id : 0;
  }

 private:
  SystemClock clock_;
  std::filesystem::path directory_;
  meta::MetaStore meta_;
  std::unique_ptr<stage::StageDirectory> stage_;
};

void acknowledge(benchmark::State& state) {
  Disk disk;
  if (!disk.ready()) {
    state.SkipWithError("the cache directory cannot be made");
    return;
  }
  const auto writers = static_cast<int>(state.range(0));
  const std::vector<std::byte> data(kFileBytes, std::byte{7});
  std::atomic<int> failed = 0;
  const auto before = disk.journal().stats();
  for (auto _ : state) {
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < writers; ++writer) {
      threads.emplace_back([&] {
        for (int file = 0; file < kFilesOfAWriter; ++file) {
          failed += disk.acknowledge(data) == 0 ? 1 : 0;
        }
      });
    }
  }
  if (failed > 0) {
    state.SkipWithError("an acknowledgement failed");
    return;
  }
  const auto after = disk.journal().stats();
  const double files = static_cast<double>(after.changes - before.changes);
  state.SetItemsProcessed(static_cast<std::int64_t>(files));
  state.counters["commits_per_file"] = static_cast<double>(after.commits - before.commits) / files;
}
BENCHMARK(acknowledge)->ArgName("writers")->Arg(1)->Arg(8)->Arg(100)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
