#include "prefixfs/telemetry/metrics.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace prefixfs {
namespace {

TEST(MetricsTest, CountsByName) {
  Metrics metrics;
  metrics.counter("reads") += 2;
  ++metrics.counter("writes");
  ++metrics.counter("reads");
  metrics.counter("never");
  EXPECT_EQ(metrics.snapshot(), (std::map<std::string, std::uint64_t>{{"never", 0}, {"reads", 3}, {"writes", 1}}));
}

TEST(MetricsTest, ACounterStaysWhereItIs) {
  Metrics metrics;
  auto& first = metrics.counter("first");
  for (int i = 0; i < 1000; ++i) {
    metrics.counter(std::to_string(i));
  }
  EXPECT_EQ(&first, &metrics.counter("first"));
}

TEST(MetricsTest, ManyThreadsLoseNothing) {
  Metrics metrics;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&metrics, i] {
        for (int k = 0; k < 1000; ++k) {
          ++metrics.counter("shared");
          ++metrics.counter("own" + std::to_string(i));
          if (k % 100 == 0) {
            metrics.snapshot();
          }
        }
      });
    }
  }
  const auto values = metrics.snapshot();
  EXPECT_EQ(values.at("shared"), 4000U);
  EXPECT_EQ(values.at("own3"), 1000U);
  EXPECT_EQ(values.size(), 5U);
}

}  // namespace
}  // namespace prefixfs
