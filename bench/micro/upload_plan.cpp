// How a changed file becomes requests.

#include <benchmark/benchmark.h>

#include "prefixfs/sync/upload_plan.h"

namespace {

using namespace prefixfs;

constexpr std::uint64_t kGiB = 1ULL << 30;

void plan(benchmark::State& state, std::uint64_t size, std::uint64_t base_size, const std::vector<ByteRange>& dirty) {
  for (auto _ : state) {
    auto made = sync::plan_upload(size, base_size, dirty, {});
    if (!made) {
      state.SkipWithError("no plan");
      break;
    }
    benchmark::DoNotOptimize(made);
  }
}

void new_file_of_1_gib(benchmark::State& state) { plan(state, kGiB, 0, {{0, kGiB}}); }
BENCHMARK(new_file_of_1_gib);

void append_to_1_gib(benchmark::State& state) { plan(state, kGiB + 1024, kGiB, {{kGiB, kGiB + 1024}}); }
BENCHMARK(append_to_1_gib);

void thousand_changes_in_1_gib(benchmark::State& state) {
  std::vector<ByteRange> dirty;
  for (std::uint64_t begin = 0; begin < kGiB; begin += kGiB / 1000 + 1) {
    dirty.push_back({begin, begin + 4096});
  }
  plan(state, kGiB, kGiB, dirty);
}
BENCHMARK(thousand_changes_in_1_gib);

}  // namespace
