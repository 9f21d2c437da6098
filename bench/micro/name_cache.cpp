// The cache of names (LMDB): what a lookup, a finished write and a page of a listing cost on this host's disk.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>

#include "prefixfs/meta/node_cache.h"

namespace {

using namespace prefixfs;

constexpr int kNames = 10'000;

/// `round` makes it another state of the same name: a record that does not change is not written.
meta::Node node_of(int number, int round = 0) {
  meta::Node node;
  node.parent = meta::kRootInode;
  node.name = fmt::format("{:08x}-6f0e-4a7e-8a57-9b6b0f0c2f11_curriculum vitae.pdf", number);
  node.size = 500'000;
  node.etag = ETag::from_wire(fmt::format("{:032x}", number));
  node.last_modified = WallTime(std::chrono::seconds(1'700'000'000));
  node.posix = {.mode = 0644, .uid = 1000, .gid = 1000, .mtime_ns = 1'700'000'000'000'000'000};
  node.checked_at = WallTime(std::chrono::seconds(1'700'000'000 + round));
  return node;
}

/// A cache of kNames names in a temporary directory.
class Cache {
 public:
  Cache() {
    std::string pattern = (std::filesystem::temp_directory_path() / "prefixfs-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      return;
    }
    directory_ = pattern;
    auto opened = meta::open_meta({.directory = directory_.string(), .source = "bench s3://bench/"}, clock_);
    if (!opened) {
      return;
    }
    store_ = std::move(*opened);
    for (int begin = 0; begin < kNames; begin += 1000) {
      auto page = page_from(begin);
      ready_ = store_.nodes->put_page(meta::kRootInode, page).has_value();
    }
  }
  ~Cache() {
    store_ = {};
    if (!directory_.empty()) {
      std::filesystem::remove_all(directory_);
    }
  }
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  static std::vector<meta::Node> page_from(int begin, int round = 0) {
    std::vector<meta::Node> nodes;
    for (int number = begin; number < begin + 1000; ++number) {
      nodes.push_back(node_of(number, round));
    }
    return nodes;
  }

  meta::NodeCache* nodes(benchmark::State& state) {
    if (!ready_) {
      state.SkipWithError("the cache cannot be made");
    }
    return ready_ ? store_.nodes.get() : nullptr;
  }

 private:
  SystemClock clock_;
  std::filesystem::path directory_;
  meta::MetaStore store_;
  bool ready_ = false;
};

/// Runs `call(nodes, number, round)` once for each iteration, with numbers that walk through all names out of order.
template <class Call>
void run(benchmark::State& state, std::int64_t items, Call call) {
  Cache cache;
  meta::NodeCache* nodes = cache.nodes(state);
  int number = 0;
  int round = 0;
  for (auto _ : state) {
    if (nodes == nullptr || !call(*nodes, number = (number + 7919) % kNames, ++round)) {
      state.SkipWithError("the call failed");
      break;
    }
  }
  state.SetItemsProcessed(state.iterations() * items);
}

void find(benchmark::State& state) {
  run(state, 1, [](meta::NodeCache& nodes, int number, int) {
    const auto found = nodes.find(meta::kRootInode, node_of(number).name);
    return found && found->has_value();
  });
}
BENCHMARK(find);

void put(benchmark::State& state) {
  run(state, 1, [](meta::NodeCache& nodes, int number, int round) { return nodes.put(node_of(number, round)).has_value(); });
}
BENCHMARK(put);

void put_page_of_1000(benchmark::State& state) {
  run(state, 1000, [](meta::NodeCache& nodes, int number, int round) {
    auto page = Cache::page_from(number / 1000 * 1000, round);
    return nodes.put_page(meta::kRootInode, page).has_value();
  });
}
BENCHMARK(put_page_of_1000)->Unit(benchmark::kMillisecond);

void children_100(benchmark::State& state) {
  run(state, 100, [](meta::NodeCache& nodes, int number, int) {
    const auto children = nodes.children(meta::kRootInode, node_of(number).name, 100);
    return children.has_value();
  });
}
BENCHMARK(children_100);

}  // namespace
