#include "lmdb_env.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "support/temp_dir.h"

namespace prefixfs::meta {
namespace {

constexpr std::uint64_t kSmallMap = 256 << 10;

std::unique_ptr<LmdbEnv> open(const test::TempDir& temp, std::uint64_t map_bytes, std::uint64_t map_bytes_max) {
  auto env = LmdbEnv::open({.directory = temp.file("env"), .map_bytes = map_bytes, .map_bytes_max = map_bytes_max, .flags = MDB_NOSYNC});
  EXPECT_TRUE(env) << describe(env.error());
  return std::move(*env);
}

std::string get(LmdbEnv& env, std::string_view key) {
  std::string found = "(none)";
  EXPECT_TRUE(env.read([&](Txn& txn) -> Result<void> {
    TRY_ASSIGN(const auto value, txn.get(key));
    found = value ? std::string(*value) : "(none)";
    return {};
  }));
  return found;
}

TEST(LmdbEnv, a_change_that_fails_changes_nothing) {
  const test::TempDir temp;
  const auto env = open(temp, kSmallMap, kSmallMap);
  ASSERT_TRUE(env->write([](Txn& txn) { return txn.put("a", "1"); }));
  const auto failed = env->write([](Txn& txn) -> Result<void> {
    TRY(txn.put("a", "2"));
    return fail(Errc::invalid, "no");
  });
  EXPECT_EQ(failed.error().code, Errc::invalid);
  EXPECT_EQ(get(*env, "a"), "1");
  EXPECT_EQ(get(*env, "b"), "(none)");
}

TEST(LmdbEnv, erase_tells_whether_it_was_there) {
  const test::TempDir temp;
  const auto env = open(temp, kSmallMap, kSmallMap);
  ASSERT_TRUE(env->write([](Txn& txn) -> Result<void> {
    TRY(txn.put("a", "1"));
    TRY_ASSIGN(const bool first, txn.erase("a"));
    TRY_ASSIGN(const bool second, txn.erase("a"));
    EXPECT_TRUE(first);
    EXPECT_FALSE(second);
    return {};
  }));
}

TEST(LmdbEnv, cursors_go_in_byte_order) {
  const test::TempDir temp;
  const auto env = open(temp, kSmallMap, kSmallMap);
  ASSERT_TRUE(env->write([](Txn& txn) -> Result<void> {
    TRY(txn.put("b", "2"));
    TRY(txn.put("\xff", "3"));
    return txn.put("a", "1");
  }));
  std::string seen;
  ASSERT_TRUE(env->read([&](Txn& txn) -> Result<void> {
    TRY_ASSIGN(Cursor cursor, Cursor::open(txn));
    TRY_ASSIGN(bool found, cursor.seek("a\x01"));
    while (found) {
      seen += cursor.value();
      TRY_ASSIGN(found, cursor.next());
    }
    return {};
  }));
  EXPECT_EQ(seen, "23");
}

TEST(LmdbEnv, a_full_map_grows_and_the_change_runs_again) {
  const test::TempDir temp;
  const auto env = open(temp, kSmallMap, 64 << 20);
  int runs = 0;
  ASSERT_TRUE(env->write([&](Txn& txn) -> Result<void> {
    ++runs;
    for (int i = 0; i < 1000; ++i) {
      TRY(txn.put("key" + std::to_string(i), std::string(1000, 'v')));
    }
    return {};
  }));
  EXPECT_GT(runs, 1);
  EXPECT_GT(env->map_bytes(), 1000U * 1000);
  EXPECT_EQ(get(*env, "key999"), std::string(1000, 'v'));
}

TEST(LmdbEnv, grows_while_others_read) {
  const test::TempDir temp;
  const auto env = open(temp, kSmallMap, 64 << 20);
  ASSERT_TRUE(env->write([](Txn& txn) { return txn.put("a", "1"); }));
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> readers;
    for (int t = 0; t < 2; ++t) {
      readers.emplace_back([&] {
        while (!done) {
          wrong += get(*env, "a") == "1" ? 0 : 1;
        }
      });
    }
    for (int i = 0; i < 200; ++i) {
      EXPECT_TRUE(env->write([&](Txn& txn) { return txn.put("key" + std::to_string(i), std::string(40000, 'v')); }));
    }
    done = true;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(env->map_bytes(), 4U << 20);
}

/// KiB of the environment's file that count as memory of this process.
std::size_t mapped_kib(const std::string& file) {
  std::ifstream maps("/proc/self/smaps");
  std::size_t kib = 0;
  bool mine = false;
  for (std::string line; std::getline(maps, line);) {
    const bool head = line.find('-') < line.find(' ') && line.find(':') > line.find(' ');
    mine = head ? line.ends_with(file) : mine;
    if (mine && line.starts_with("Rss:")) {
      kib += std::stoul(line.substr(4));
    }
  }
  return kib;
}

TEST(LmdbEnv, memory_that_was_read_is_given_back_and_nothing_is_lost) {
  const test::TempDir temp;
  const auto env = open(temp, 64 << 20, 64 << 20);
  const auto value_of = [](int number) { return std::string(2000, static_cast<char>('a' + number % 26)); };
  const auto key_of = [](int number) { return "key" + std::to_string(number); };
  for (int number = 0; number < 4000; ++number) {
    ASSERT_TRUE(env->write([&](Txn& txn) { return txn.put(key_of(number), value_of(number)); }));
  }
  const auto read_all = [&] {
    for (int number = 0; number < 4000; ++number) {
      EXPECT_EQ(get(*env, key_of(number)), value_of(number));
    }
  };
  read_all();
  EXPECT_GT(mapped_kib(temp.file("env/data.mdb")), 4000U);
  env->give_back_memory();
  EXPECT_LT(mapped_kib(temp.file("env/data.mdb")), 100U);
  std::atomic<bool> done{false};
  std::jthread giving_back([&] {
    while (!done) {
      env->give_back_memory();
    }
  });
  read_all();
  EXPECT_TRUE(env->write([&](Txn& txn) { return txn.put("last", "1"); }));
  done = true;
  EXPECT_EQ(get(*env, "last"), "1");
}

TEST(LmdbEnv, a_map_that_may_not_grow_is_no_space_and_stays_usable) {
  const test::TempDir temp;
  const auto env = open(temp, kSmallMap, kSmallMap);
  ASSERT_TRUE(env->write([](Txn& txn) { return txn.put("a", "1"); }));
  const auto full = env->write([](Txn& txn) { return txn.put("b", std::string(1 << 20, 'v')); });
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Errc::no_space);
  EXPECT_EQ(get(*env, "a"), "1");
  EXPECT_TRUE(env->write([](Txn& txn) { return txn.put("c", "3"); }));
}

TEST(LmdbEnv, files_are_for_their_owner_only) {
  const test::TempDir temp;
  const auto env = open(temp, kSmallMap, kSmallMap);
  struct stat status{};
  ASSERT_EQ(::stat(temp.file("env").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  ASSERT_EQ(::stat(temp.file("env/data.mdb").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST(LmdbEnv, codes_become_decisions) {
  EXPECT_EQ(lmdb_error(MDB_MAP_FULL, "write to", "/x").code, Errc::no_space);
  EXPECT_EQ(lmdb_error(ENOSPC, "write to", "/x").code, Errc::no_space);
  EXPECT_EQ(lmdb_error(MDB_CORRUPTED, "read", "/x").code, Errc::corrupt);
  EXPECT_EQ(lmdb_error(MDB_INVALID, "open", "/x").code, Errc::corrupt);
  EXPECT_EQ(lmdb_error(EACCES, "open", "/x").code, Errc::denied);
  EXPECT_EQ(lmdb_error(MDB_READERS_FULL, "read", "/x").code, Errc::io);
}

}  // namespace
}  // namespace prefixfs::meta
