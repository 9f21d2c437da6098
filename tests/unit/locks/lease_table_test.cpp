#include "lease_table.h"

#include <gtest/gtest.h>

namespace prefixfs::locks {
namespace {

using namespace std::chrono_literals;

LeaseTable two_hosts() {
  LeaseTable table{.file = "a b/ü\n.txt", .hosts = {}};
  HostEntry first{.host = "one", .beat = "17", .lease = 30s, .locks = {}};
  first.locks.add({.owner = {.kind = Kind::flock, .number = ~0ULL}, .mode = Mode::exclusive, .range = kEverything, .pid = 12, .handle = 1ULL << 40});
  HostEntry second{.host = "two", .beat = "18", .lease = 1500ms, .locks = {}};
  second.locks.add({.owner = {.kind = Kind::posix, .number = 5}, .mode = Mode::shared, .range = {10, 20}, .pid = 0});
  second.locks.add({.owner = {.kind = Kind::posix, .number = 5}, .mode = Mode::exclusive, .range = {20, 21}, .pid = 0});
  table.hosts = {first, second};
  return table;
}

TEST(LeaseTableTest, IsReadAsItWasWritten) {
  const std::string text = text_of(two_hosts());
  EXPECT_TRUE(text.starts_with("prefixfs-locks 1\nfile a%20b/%C3%BC%0A.txt\nhost one 17 30000\nlock flock exclusive 0 "));
  const auto read = parse_lease_table(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, two_hosts());
}

TEST(LeaseTableTest, ATableOfNobodyIsOne) {
  const auto read = parse_lease_table(text_of({.file = "x", .hosts = {}}));
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->hosts.empty());
}

TEST(LeaseTableTest, WhatItDoesNotWriteIsNotUnderstood) {
  const std::string good = text_of(two_hosts());
  std::vector<std::string> bad{"", "prefixfs-locks 2\nfile x\n", "hello\n", good.substr(0, good.size() - 1), good + "lease 5\n", good + "\n\n"};
  bad.push_back("prefixfs-locks 1\nfile x\nlock posix shared 0 1 1 1 1\n");             // of no host
  bad.push_back("prefixfs-locks 1\nfile x\nhost a 1 30\nhost a 2 30\n");              // twice
  bad.push_back("prefixfs-locks 1\nfile x\nhost a 1 30\nlock posix shared 5 5 1 1 1\n");  // of nothing
  bad.push_back("prefixfs-locks 1\nfile x\nhost a 1 -30\n");
  for (const std::string& text : bad) {
    const auto read = parse_lease_table(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Errc::unsupported);
  }
}

}  // namespace
}  // namespace prefixfs::locks
