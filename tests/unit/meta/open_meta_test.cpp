#include "open_meta.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "lmdb_env.h"
#include "prefixfs/meta/journal.h"
#include "support/fake_clock.h"
#include "support/temp_dir.h"

namespace prefixfs::meta {
namespace {

MetaOptions options_of(const test::TempDir& temp, std::string source = "https://s3 bucket/prefix/") {
  return {.directory = temp.str(), .source = std::move(source), .cache_map_bytes = 16 << 20, .journal_map_bytes = 16 << 20};
}

MetaStore open(const test::TempDir& temp, const std::string& boot_id) {
  auto store = open_meta(options_of(temp), boot_id);
  EXPECT_TRUE(store) << describe(store.error());
  return std::move(*store);
}

Node file(std::string name) {
  Node node;
  node.parent = kRootInode;
  node.name = std::move(name);
  return node;
}

/// Uses the store in another process, and ends that without any destructor, as kill -9 does.
void use_and_die(const test::TempDir& temp, const std::string& boot_id, const std::function<void(MetaStore&)>& use) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto store = open_meta(options_of(temp), boot_id);
    if (store) {
      use(*store);
    }
    ::_exit(store ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
}

TEST(OpenMeta, nodes_and_facts_live_over_restarts_and_boots) {
  const test::TempDir temp;
  InodeId id = 0;
  {
    MetaStore store = open(temp, "boot-1");
    id = store.nodes->put(file("a"))->id;
    ASSERT_TRUE(store.facts->put("region", "eu-central-1"));
  }
  MetaStore store = open(temp, "boot-2");
  const auto found = store.nodes->find(kRootInode, "a");
  ASSERT_TRUE(found && *found) << "closed in order: the cache is good after a boot, too";
  EXPECT_EQ((*found)->id, id);
  EXPECT_EQ(*store.facts->get("region"), "eu-central-1");
  EXPECT_EQ(*store.facts->get("nothing"), std::nullopt);
}

TEST(OpenMeta, a_killed_process_loses_nothing_without_a_boot) {
  const test::TempDir temp;
  use_and_die(temp, "boot-1", [](MetaStore& store) { (void)store.nodes->put(file("a")); });
  MetaStore store = open(temp, "boot-1");
  EXPECT_TRUE(store.nodes->find(kRootInode, "a")->has_value());
}

TEST(OpenMeta, an_unclean_boot_throws_the_cache_away_but_no_inode_comes_twice) {
  const test::TempDir temp;
  InodeId first = 0;
  {
    MetaStore store = open(temp, "boot-1");
    first = store.nodes->put(file("a"))->id;
  }
  use_and_die(temp, "boot-1", [](MetaStore& store) {
    (void)store.nodes->put(file("b"));
    (void)store.facts->put("region", "eu-central-1");
  });
  MetaStore store = open(temp, "boot-2");
  EXPECT_FALSE(store.nodes->find(kRootInode, "a")->has_value());
  EXPECT_FALSE(store.nodes->find(kRootInode, "b")->has_value());
  EXPECT_EQ(*store.facts->get("region"), "eu-central-1") << "the journal is synced and stays";
  const InodeId again = store.nodes->put(file("c"))->id;
  EXPECT_GT(again, first + 1) << "a batch that was reserved is never given again";
}

TEST(OpenMeta, a_boot_id_that_is_not_known_trusts_a_clean_close_only) {
  const test::TempDir temp;
  { (void)open(temp, "").nodes->put(file("a")); }
  { EXPECT_TRUE(open(temp, "").nodes->find(kRootInode, "a")->has_value()); }
  use_and_die(temp, "", [](MetaStore&) {});
  EXPECT_FALSE(open(temp, "").nodes->find(kRootInode, "a")->has_value());
}

TEST(OpenMeta, another_format_of_the_cache_is_thrown_away) {
  const test::TempDir temp;
  { (void)open(temp, "boot-1").nodes->put(file("a")); }
  {
    auto journal = LmdbEnv::open({.directory = temp.file("journal"), .map_bytes = 16 << 20});
    ASSERT_TRUE((*journal)->write([](Txn& txn) { return txn.put("mcache", std::string("\x63\x01") + "boot-1"); }));
  }
  EXPECT_FALSE(open(temp, "boot-1").nodes->find(kRootInode, "a")->has_value());
}

TEST(OpenMeta, a_cache_file_that_is_none_is_made_anew) {
  const test::TempDir temp;
  { (void)open(temp, "boot-1").nodes->put(file("a")); }
  std::ofstream(temp.file("cache/data.mdb"), std::ios::trunc) << std::string(64 << 10, 'x');
  MetaStore store = open(temp, "boot-1");
  EXPECT_FALSE(store.nodes->find(kRootInode, "a")->has_value());
  EXPECT_TRUE(store.nodes->put(file("b")));
}

TEST(OpenMeta, a_journal_that_is_none_is_corrupt_and_left_alone) {
  const test::TempDir temp;
  { (void)open(temp, "boot-1"); }
  std::ofstream(temp.file("journal/data.mdb"), std::ios::trunc) << std::string(64 << 10, 'x');
  const auto store = open_meta(options_of(temp), "boot-1");
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::corrupt);
  EXPECT_EQ(std::filesystem::file_size(temp.file("journal/data.mdb")), 64U << 10);
}

TEST(OpenMeta, a_source_of_which_nothing_was_ever_known_was_a_slip) {
  const test::TempDir temp;
  { (void)open(temp, "boot-1"); }
  EXPECT_TRUE(open_meta(options_of(temp, "https://s3 other/"), "boot-1"));
}

TEST(OpenMeta, another_source_is_refused_by_name) {
  const test::TempDir temp;
  {
    const MetaStore store = open(temp, "boot-1");
    ASSERT_TRUE(store.nodes->put(file("a")));
  }
  const auto store = open_meta(options_of(temp, "https://s3 other/"), "boot-1");
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::invalid);
  EXPECT_NE(store.error().what.find("bucket/prefix/"), std::string::npos);
  EXPECT_NE(store.error().what.find("other/"), std::string::npos);
}

TEST(OpenMeta, a_newer_journal_is_refused) {
  const test::TempDir temp;
  { (void)open(temp, "boot-1"); }
  {
    auto journal = LmdbEnv::open({.directory = temp.file("journal"), .map_bytes = 16 << 20});
    ASSERT_TRUE((*journal)->write([](Txn& txn) { return txn.put("mformat", "\x06"); }));
  }
  EXPECT_EQ(open_meta(options_of(temp), "boot-1").error().code, Errc::invalid);
}

TEST(OpenMeta, an_older_journal_is_read_and_signed_anew) {
  const test::TempDir temp;
  {
    const MetaStore store = open(temp, "boot-1");
    ASSERT_TRUE(store.facts->put("region", "eu-central-1"));
  }
  const auto journal_format = [&](std::string_view before) {
    auto journal = LmdbEnv::open({.directory = temp.file("journal"), .map_bytes = 16 << 20});
    std::string found;
    EXPECT_TRUE((*journal)->write([&](Txn& txn) -> Result<void> {
      TRY_ASSIGN(const auto format, txn.get("mformat"));
      found = format.value_or("");
      return before.empty() ? Result<void>() : txn.put("mformat", before);
    }));
    return found;
  };
  EXPECT_EQ(journal_format("\x01"), "\x05") << "a new journal has the present format";
  EXPECT_EQ(*open(temp, "boot-1").facts->get("region"), "eu-central-1");
  EXPECT_EQ(journal_format(""), "\x05") << "so that a prefixfs which knows no intents refuses it";
}

TEST(OpenMeta, a_source_that_is_owed_something_is_no_slip) {
  const test::TempDir temp;
  { ASSERT_TRUE(open(temp, "boot-1").journal->next_id()); }
  EXPECT_EQ(open_meta(options_of(temp, "https://s3 other/"), "boot-1").error().code, Errc::invalid);
}

TEST(OpenMeta, inode_numbers_are_not_given_out_when_the_counter_is_damaged) {
  const test::TempDir temp;
  { (void)open(temp, "boot-1").nodes->put(file("a")); }
  {
    auto journal = LmdbEnv::open({.directory = temp.file("journal"), .map_bytes = 16 << 20});
    ASSERT_TRUE((*journal)->write([](Txn& txn) { return txn.put("minode", "x"); }));
  }
  MetaStore store = open(temp, "boot-1");
  EXPECT_EQ(store.nodes->put(file("b")).error().code, Errc::corrupt);
  EXPECT_TRUE(store.nodes->find(kRootInode, "a")->has_value());
}

TEST(OpenMeta, facts_have_bounds_and_may_hold_any_bytes) {
  const test::TempDir temp;
  MetaStore store = open(temp, "boot-1");
  const std::string bytes("\0\xff\n", 3);
  ASSERT_TRUE(store.facts->put("x", bytes));
  EXPECT_EQ(*store.facts->get("x"), bytes);
  EXPECT_EQ(store.facts->put("", "v").error().code, Errc::invalid);
  EXPECT_EQ(store.facts->put(std::string(501, 'n'), "v").error().code, Errc::invalid);
  EXPECT_TRUE(store.facts->put(std::string(500, 'n'), "v"));
}

TEST(OpenMeta, opens_with_the_kernels_boot_id) {
  const test::TempDir temp;
  const test::FakeClock clock;
  EXPECT_TRUE(open_meta(options_of(temp), clock));
  EXPECT_EQ(open_meta({.directory = temp.file("missing/dir"), .source = "s"}, clock).error().code, Errc::io);
}

}  // namespace
}  // namespace prefixfs::meta
