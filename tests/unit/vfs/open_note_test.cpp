#include "open_note.h"

#include <gtest/gtest.h>

namespace prefixfs::vfs {
namespace {

OpenNote example() {
  OpenNote note;
  note.node = {.id = 4660, .parent = 7, .name = "a name\nwith a line break", .size = 12, .etag = ETag::from_wire("\"abc-2\""),
               .storage_class = "STANDARD_IA", .posix = {.mode = 0640, .uid = 1000, .gid = 33, .mtime_ns = -5, .atime_ns = -7}, .posix_exact = true, .local = true};
  note.overwrites = true;
  note.unstored = true;
  note.explicit_mtime = true;
  note.appends = true;
  note.users = {71, 4194303};
  return note;
}

TEST(OpenNote, SurvivesTheTrip) {
  const OpenNote note = example();
  const auto again = decode_note(encode_note(note));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->node, note.node);
  EXPECT_EQ(again->exclusive, note.exclusive);
  EXPECT_EQ(again->presumed_new, note.presumed_new);
  EXPECT_EQ(again->overwrites, note.overwrites);
  EXPECT_EQ(again->unstored, note.unstored);
  EXPECT_EQ(again->attributes_changed, note.attributes_changed);
  EXPECT_EQ(again->explicit_mtime, note.explicit_mtime);
  EXPECT_EQ(again->unlinked, note.unlinked);
  EXPECT_EQ(again->appends, note.appends);
  EXPECT_EQ(again->users, note.users);
}

TEST(OpenNote, OfAnOlderVersionSaysNothingOfProcesses) {
  const auto old = decode_note("1 4660 7 12 0 416 1000 33 -5 1 0 0\na");
  ASSERT_TRUE(old);
  EXPECT_EQ(old->node.name, "a");
  EXPECT_EQ(old->node.posix.mode, 0640u);
  EXPECT_TRUE(old->users.empty());
}

TEST(OpenNote, OfTheVersionBeforeSaysNothingOfAnAtime) {
  const auto old = decode_note("2 4660 7 12 0 416 1000 33 -5 1 0 0 2 71 72\na");
  ASSERT_TRUE(old);
  EXPECT_EQ(old->users, (std::vector<pid_t>{71, 72}));
  EXPECT_EQ(old->node.posix.atime_ns, std::nullopt);
}

TEST(OpenNote, OfTheVersionBeforeThatSaysNothingOfExtendedAttributes) {
  const auto old = decode_note("3 4660 7 12 0 416 1000 33 -5 1 0 0 2 71 72 -6\na");
  ASSERT_TRUE(old);
  EXPECT_EQ(old->node.posix.atime_ns, -6);
  EXPECT_TRUE(old->node.posix.xattrs.empty());
}

TEST(OpenNote, ExtendedAttributesComeBack) {
  OpenNote note = example();
  note.node.posix.xattrs = {{"author", std::string("\0\n", 2)}, {"gone", std::nullopt}};
  const auto again = decode_note(encode_note(note));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->node.posix.xattrs, note.node.posix.xattrs);
}

TEST(OpenNote, NonsenseIsNoNote) {
  const std::string whole = encode_note(example());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_note(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_note("5" + whole.substr(1)));
  EXPECT_FALSE(decode_note("1 1 1 1 1 1 1 1 1 99999999 1 1\nx"));
  EXPECT_FALSE(decode_note("2 1 1 1 1 1 1 1 1 1 0 0 99999999 1\nx"));
}

}  // namespace
}  // namespace prefixfs::vfs
