// Every key has a name: what cannot be a file name is shown under another.

#include "prefixfs/object/shown_name.h"
#include "write_back_fixture.h"

namespace prefixfs::vfs {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

struct Odd {
  std::string key;
  std::string path;
};

const std::string kLong(600, 'x');

const std::vector<Odd>& odd_keys() {
  static const std::vector<Odd> kOdd{
      {"a//b", "a/@s3-empty/b"},
      {"/leading", "@s3-empty/leading"},
      {"//twice", "@s3-empty/@s3-empty/twice"},
      {"x/./y", "x/@s3-dot/y"},
      {"x/..", "x/@s3-dotdot"},
      {"raw\xff.pdf", "@s3-raw-raw%FF.pdf"},
      {std::string("nul\0!", 5), "@s3-raw-nul%00!"},
      {"@s3-dot", "@s3-name-@s3-dot"},
      {kLong, shown_name(kLong)},
      {kLong + "d/inner", shown_name(kLong + "d") + "/inner"},
      {"both", "@s3-object-both"},
      {"content/", "content/@s3-content"},
  };
  return kOdd;
}

class OddNamesTest : public VfsTest {
 protected:
  OddNamesTest() {
    mount.memory.put_text("both/inner", "inner");
    mount.memory.put_text("plain", "plain");
  }
  static std::string directory_of(const std::string& path) { return path.find('/') == std::string::npos ? "" : path.substr(0, path.rfind('/')); }
  static std::string last_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }
  InodeId parent_of(const std::string& path) { return mount.id(directory_of(path)); }
  std::vector<std::string> names(const std::string& directory = "") { return mount.names(mount.id(directory)).value_or(std::vector<std::string>{"?"}); }

  Mount mount;
};

TEST_F(OddNamesTest, EachIsListedReadRemovedAndRenamed) {
  for (const Odd& odd : odd_keys()) {
    const std::string& key = odd.key;
    SCOPED_TRACE(odd.path);
    mount.memory.put_text(key, "content of " + odd.path);
    mount.window_ends();
    ASSERT_OK(mount.names(kRoot));
    EXPECT_THAT(names(directory_of(odd.path)), Contains(last_of(odd.path)));
    EXPECT_EQ(mount.read_file(odd.path).value_or("?"), "content of " + odd.path);
    EXPECT_OK(mount.fs().rename(parent_of(odd.path), last_of(odd.path), kRoot, "good", 0, mount.caller()));
    EXPECT_EQ(mount.memory.text("good"), "content of " + odd.path);
    EXPECT_FALSE(mount.memory.text(key));
    EXPECT_OK(mount.fs().unlink(kRoot, "good", mount.caller()));

    mount.memory.put_text(key, "again");
    mount.window_ends();
    EXPECT_OK(mount.change_file(odd.path, O_WRONLY, 0, "A"));
    EXPECT_EQ(mount.memory.text(key), "Again");
    EXPECT_OK(mount.fs().unlink(parent_of(odd.path), last_of(odd.path), mount.caller()));
    EXPECT_FALSE(mount.memory.text(key));
  }
  EXPECT_EQ(mount.memory.text("both/inner"), "inner");
  EXPECT_GE(mount.fs().escaped_names(), odd_keys().size());
}

TEST_F(OddNamesTest, EachIsFoundWithoutAListing) {
  for (const Odd& odd : odd_keys()) {
    SCOPED_TRACE(odd.path);
    mount.memory.put_text(odd.key, "content");
    Mount other_store_same_keys;
    other_store_same_keys.memory.put_text("both/inner", "inner");
    other_store_same_keys.memory.put_text(odd.key, "content");
    EXPECT_EQ(other_store_same_keys.read_file(odd.path).value_or("?"), "content");
  }
}

TEST_F(OddNamesTest, OrdinaryNamesThatBeginSoAreTheirOwn) {
  for (const char* name : {"@s3-foo", "@s3-raw-plain", "@s3-name-x", "100%FF"}) {
    ASSERT_OK(mount.create_file(kRoot, name, "x"));
    EXPECT_EQ(mount.memory.text(name), "x");
    EXPECT_THAT(names(), Contains(name));
  }
  EXPECT_EQ(mount.fs().escaped_names(), 0u);
}

TEST_F(OddNamesTest, WhatIsMadeUnderSuchANameIsStoredAsTheRuleSays) {
  ASSERT_OK(mount.lookup("both"));
  ASSERT_OK(mount.create_file(kRoot, "@s3-dotdot", "up"));
  ASSERT_OK(mount.create_file(kRoot, "@s3-name-@s3-dot", "lookalike"));
  ASSERT_OK(mount.create_file(kRoot, "@s3-object-both", "beside"));
  ASSERT_OK(mount.fs().mkdir(kRoot, "@s3-empty", 0755, mount.caller()));
  ASSERT_OK(mount.create_file(mount.id("@s3-empty"), "f", "below"));
  EXPECT_EQ(mount.memory.text(".."), "up");
  EXPECT_EQ(mount.memory.text("@s3-dot"), "lookalike");
  EXPECT_EQ(mount.memory.text("both"), "beside");
  EXPECT_TRUE(mount.memory.text("/"));
  EXPECT_EQ(mount.memory.text("/f"), "below");
  mount.restart_without_cache();
  EXPECT_THAT(names(), UnorderedElementsAre("@s3-dotdot", "@s3-name-@s3-dot", "@s3-object-both", "@s3-empty", "both", "plain"));
  EXPECT_OK(mount.fs().unlink(mount.id("@s3-empty"), "f", mount.caller()));
  EXPECT_OK(mount.fs().rmdir(kRoot, "@s3-empty", mount.caller()));
  EXPECT_FALSE(mount.memory.text("/"));
}

TEST_F(OddNamesTest, WhatWouldBeShownUnderAnotherNameIsNotMade) {
  const auto create = [&](std::string_view name) { return mount.create(kRoot, name); };
  EXPECT_ERRC(create("@s3-empty"), Errc::invalid);
  EXPECT_ERRC(create("@s3-content"), Errc::invalid);
  EXPECT_ERRC(create("@s3-object-plain"), Errc::invalid);
  EXPECT_ERRC(create(shown_name(kLong)), Errc::invalid);
  EXPECT_ERRC(mount.fs().mkdir(kRoot, "@s3-content", 0755, mount.caller()), Errc::invalid);
  EXPECT_ERRC(mount.fs().mkdir(kRoot, "@s3-object-both", 0755, mount.caller()), Errc::invalid);
  EXPECT_ERRC(mount.fs().rename(kRoot, "plain", kRoot, "@s3-object-plain", 0, mount.caller()), Errc::invalid);
  EXPECT_ERRC(mount.lookup("@s3-object-plain"), Errc::not_found);
  EXPECT_EQ(mount.memory.text("plain"), "plain");
}

TEST_F(OddNamesTest, TheFileBesideADirectoryTakesItsNameWhenThatIsGone) {
  mount.memory.put_text("both", "object");
  EXPECT_THAT(names(), UnorderedElementsAre("@s3-object-both", "both", "plain"));
  EXPECT_EQ(mount.read_file("both/inner").value_or("?"), "inner");
  mount.memory.erase("both/inner");
  mount.window_ends();
  EXPECT_ERRC(mount.lookup("@s3-object-both"), Errc::not_found);
  mount.window_ends();
  EXPECT_THAT(names(), UnorderedElementsAre("both", "plain"));
  EXPECT_EQ(mount.read_file("both").value_or("?"), "object");
  mount.memory.put_text("both/inner", "again");
  mount.window_ends();
  EXPECT_THAT(names(), UnorderedElementsAre("@s3-object-both", "both", "plain"));
  mount.memory.erase("both");
  mount.window_ends();
  EXPECT_THAT(names(), UnorderedElementsAre("both", "plain"));
  EXPECT_ERRC(mount.lookup("@s3-object-both"), Errc::not_found);
}

TEST_F(OddNamesTest, TheDirectoryMayComePagesLater) {
  mount.memory.put_text("both", "object");
  for (int i = 0; i < 2100; ++i) {
    mount.memory.put_text("both-" + std::to_string(i), "");
    mount.memory.put_text("bothx" + std::to_string(i), "");
  }
  const auto all = names();
  EXPECT_EQ(all.size(), 4203u);
  EXPECT_THAT(all, Contains("@s3-object-both"));
  EXPECT_EQ(std::ranges::count(all, "both"), 1);
  EXPECT_EQ(mount.lookup("both")->attributes.kind, NodeKind::directory);
  EXPECT_EQ(mount.read_file("@s3-object-both").value_or("?"), "object");
}

TEST_F(OddNamesTest, ALongNameOfALargeDirectoryIsFound) {
  for (int i = 0; i < 4000; ++i) {
    mount.memory.put_text("large/" + std::to_string(i), "");
  }
  mount.memory.put_text("large/" + kLong, "long");
  ASSERT_OK(mount.lookup("large"));
  mount.requests();
  EXPECT_EQ(mount.read_file("large/" + shown_name(kLong)).value_or("?"), "long");
  EXPECT_LE(mount.requests().size(), 6u);
}

TEST_F(OddNamesTest, TheContentOfADirectorysKeyIsNotLost) {
  mount.memory.put_text("d/", "bytes");
  ASSERT_OK(mount.lookup("d"));
  EXPECT_THAT(names("d"), ElementsAre("@s3-content"));
  EXPECT_ERRC(mount.fs().rmdir(kRoot, "d", mount.caller()), Errc::not_empty);
  SetAttributes changes;
  changes.mode = 0700;
  ASSERT_OK(mount.fs().setattr(mount.id("d"), {}, changes, mount.caller()));
  EXPECT_EQ(mount.memory.text("d/"), "bytes");
  EXPECT_EQ(mount.memory.info("d/")->user_metadata.at("file-permissions"), "0040700");
  EXPECT_OK(mount.fs().unlink(mount.id("d"), "@s3-content", mount.caller()));
  EXPECT_OK(mount.fs().rmdir(kRoot, "d", mount.caller()));
  EXPECT_THAT(mount.memory.keys(), ElementsAre("both/inner", "plain"));
}

TEST_F(OddNamesTest, AMarkerIsNoFile) {
  mount.memory.put_text("d/", "");
  EXPECT_THAT(names("d"), IsEmpty());
  EXPECT_ERRC(mount.lookup("d/@s3-content"), Errc::not_found);
}

TEST_F(OddNamesTest, ADirectoryWithSuchNamesIsRenamed) {
  const std::vector<std::string> keys{"", "/x", "..", "both", "both/inner", kLong, kLong + "d/inner", "@s3-dot", "plain"};
  for (const std::string& key : keys) {
    mount.memory.put_text("d/" + key, "content");
  }
  ASSERT_OK(mount.names(kRoot));
  ASSERT_OK(mount.names(mount.id("d")));
  const auto handle = mount.open("d/@s3-object-both", O_RDONLY);
  ASSERT_OK(handle);
  ASSERT_OK(mount.fs().rename(kRoot, "d", kRoot, "e", 0, mount.caller()));
  for (const std::string& key : keys) {
    EXPECT_EQ(mount.memory.text("e/" + key), "content") << key;
    EXPECT_FALSE(mount.memory.text("d/" + key)) << key;
  }
  EXPECT_EQ(mount.read(*handle).value_or("?"), "content");
  EXPECT_OK(mount.close(*handle));
  EXPECT_EQ(mount.read_file("e/@s3-empty/x").value_or("?"), "content");
  EXPECT_EQ(mount.read_file("e/" + shown_name(kLong + "d") + "/inner").value_or("?"), "content");
  EXPECT_ERRC(mount.lookup("d"), Errc::not_found);
}

class OwedOddNamesTest : public WriteBackTest {};

TEST_F(OwedOddNamesTest, WhatIsOwedIsDeliveredAfterADeathAlsoWithoutTheCache) {
  for (const bool with_cache : {true, false}) {
    mount.memory.put_text("both/inner", "inner");
    mount.memory.put_text("both", "object");
    mount.memory.put_text(kLong, "long");
    mount.memory.put_text("a//gone", "x");
    ASSERT_OK(mount.names(kRoot));
    ASSERT_OK(mount.lookup("a/@s3-empty/gone"));
    outage();
    ASSERT_OK(mount.change_file("@s3-object-both", O_WRONLY | O_TRUNC, 0, "newer"));
    ASSERT_OK(mount.change_file(shown_name(kLong), O_WRONLY | O_TRUNC, 0, "newer"));
    ASSERT_OK(mount.fs().unlink(mount.id("a/@s3-empty"), "gone", mount.caller()));
    ASSERT_OK(mount.create_file(mount.id("a/@s3-empty"), "made", "x"));
    mount.reopen = [] {};
    with_cache ? mount.die() : mount.restart_without_cache();
    answers();
    delivered();
    EXPECT_EQ(mount.memory.text("both"), "newer");
    EXPECT_EQ(mount.memory.text("both/inner"), "inner");
    EXPECT_EQ(mount.memory.text(kLong), "newer");
    EXPECT_FALSE(mount.memory.text("a//gone"));
    EXPECT_EQ(mount.memory.text("a//made"), "x");
    mount.window_ends();
    EXPECT_EQ(mount.read_file(shown_name(kLong)).value_or("?"), "newer");
    mount.memory.erase("a//made");
  }
}

}  // namespace
}  // namespace prefixfs::vfs
