// The set of valid or dirty bytes of a file: touched by every read and write of a program.

#include <benchmark/benchmark.h>

#include "prefixfs/stage/range_set.h"

namespace {

using namespace prefixfs;

constexpr std::uint64_t kBlock = 128 << 10;

/// Every second block of a file: the set's worst case.
stage::RangeSet scattered(std::int64_t ranges) {
  stage::RangeSet set;
  for (std::int64_t number = 0; number < ranges; ++number) {
    const std::uint64_t begin = static_cast<std::uint64_t>(number) * 2 * kBlock;
    set.add({begin, begin + kBlock});
  }
  return set;
}

void add_in_order(benchmark::State& state) {
  stage::RangeSet set;
  std::uint64_t at = 0;
  for (auto _ : state) {
    set.add({at, at + kBlock});
    at += kBlock;
  }
  benchmark::DoNotOptimize(set);
}
BENCHMARK(add_in_order);

void contains_among(benchmark::State& state) {
  const stage::RangeSet set = scattered(state.range(0));
  const std::uint64_t end = static_cast<std::uint64_t>(state.range(0)) * 2 * kBlock;
  std::uint64_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(set.contains({at, at + kBlock}));
    at = (at + 7919 * kBlock) % end;
  }
}
BENCHMARK(contains_among)->Arg(1)->Arg(1000)->Arg(100'000);

void gaps_of_a_window(benchmark::State& state) {
  const stage::RangeSet set = scattered(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(set.gaps({0, 64 * kBlock}));
  }
}
BENCHMARK(gaps_of_a_window)->Arg(1000);

}  // namespace
