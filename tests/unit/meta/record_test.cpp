#include "record.h"

#include <gtest/gtest.h>

#include "format_examples.h"
#include "support/seed.h"

namespace prefixfs::meta {
namespace {

using test::example;

WallTime at_ns(std::int64_t ns) { return WallTime(std::chrono::nanoseconds(ns)); }

Node cv() {
  Node node;
  node.id = 4660;
  node.parent = kRootInode;
  node.name = "cv.pdf";
  node.size = 48213;
  node.etag = ETag::from_wire("9b2cf535f27731c974343645a3985328");
  node.last_modified = at_ns(1795248000000000000);
  node.storage_class = "STANDARD_IA";
  node.posix = {0640, 1000, 33, 1795247999876543211};
  node.posix_exact = true;
  node.checked_at = at_ns(1795248001500000000);
  return node;
}

Node latest() {
  Node node;
  node.id = 4662;
  node.parent = kRootInode;
  node.name = "latest";
  node.kind = NodeKind::symlink;
  node.target = "cv.pdf";
  node.size = 6;
  node.etag = ETag::from_wire("5a8dd3ad0756a93ded72b823b19dd877");
  node.last_modified = at_ns(1795248000000000000);
  node.posix = {0777, 1000, 33, 1795248000000000000, 1795247999000000000};
  node.posix_exact = true;
  node.checked_at = at_ns(1795248001500000000);
  node.changed_at = at_ns(1795248001500000000);
  return node;
}

Xattrs two_xattrs() { return {{"author", "Jo"}, {"seen", std::nullopt}}; }

bool survives(const Node& node) { return decode_node(node_key(node.parent, node.name), encode_node(node)) == node; }

TEST(Record, extended_attributes_are_written_and_read_as_documented) {
  EXPECT_EQ(encode_xattrs(two_xattrs()), example("xattrs"));
  EXPECT_EQ(decode_xattrs(example("xattrs")), two_xattrs());
  EXPECT_EQ(encode_xattrs({}), "");
  EXPECT_EQ(decode_xattrs(""), Xattrs{});
  Xattrs any{{std::string(kXattrNameBytesMax, 'n'), std::string("\0\xff", 2)}, {"empty", ""}};
  EXPECT_EQ(decode_xattrs(encode_xattrs(any)), any);
}

TEST(Record, extended_attributes_that_cannot_be_are_refused) {
  const std::string good = example("xattrs");
  for (std::size_t size = 1; size < good.size(); ++size) {
    if (size != 14) {  // the first of the two
      EXPECT_FALSE(decode_xattrs(good.substr(0, size))) << size;
    }
  }
  EXPECT_FALSE(decode_xattrs(good + good)) << "each once, in order";
  EXPECT_FALSE(decode_xattrs(std::string("\0\1\0\0\0\0", 6))) << "no name";
  EXPECT_FALSE(decode_xattrs(std::string("\1\2\0\0\0\0n", 7))) << "neither there nor gone";
  EXPECT_FALSE(decode_xattrs(std::string("\1\0\1\0\0\0nv", 8))) << "gone, with a value";
}

TEST(Record, a_node_keeps_its_extended_attributes) {
  Node node = cv();
  node.posix.xattrs = two_xattrs();
  EXPECT_TRUE(survives(node));
  node.posix.xattrs["large"] = std::string(kXattrsBytesMax, 'v');
  const auto kept = decode_node(node_key(node.parent, node.name), encode_node(node));
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->posix.xattrs.empty());
  EXPECT_FALSE(kept->posix_exact) << "S3 is to be asked again";
}

TEST(Record, the_documents_node_is_what_is_written_and_read) {
  EXPECT_EQ(node_key(kRootInode, "cv.pdf"), example("node-key"));
  EXPECT_EQ(encode_node(cv()), example("node-value"));
  EXPECT_EQ(decode_node(example("node-key"), example("node-value")), cv());
  EXPECT_EQ(inode_key(4660), example("inode-key"));
  EXPECT_EQ(encode_place(kRootInode, "cv.pdf"), example("inode-value"));
  EXPECT_EQ(node_key(kRootInode, "latest"), example("link-key"));
  EXPECT_EQ(encode_node(latest()), example("link-value"));
  EXPECT_EQ(decode_node(example("link-key"), example("link-value")), latest());
  const auto place = decode_place(example("inode-value"));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->parent, kRootInode);
  EXPECT_EQ(place->name, "cv.pdf");
}

TEST(Record, the_documents_listing_is_what_is_written_and_read) {
  const ListingState state{.listed_at = at_ns(1795248000000000000), .complete = true, .entries = 2417, .pages = 3};
  EXPECT_EQ(listing_key(kRootInode), example("listing-key"));
  EXPECT_EQ(encode_listing(state), example("listing-value"));
  EXPECT_EQ(decode_listing(example("listing-value")), state);
}

TEST(Record, extreme_values_survive) {
  Node node;
  node.id = ~0ULL;
  node.parent = ~0ULL - 1;
  node.name = std::string(255, '\xff');
  node.kind = NodeKind::directory;
  node.size = ~0ULL;
  node.etag = ETag::from_wire("\"\"quoted\"\"");
  node.last_modified = at_ns(-1);
  node.checked_at = at_ns(INT64_MIN);
  node.posix = {07777, ~0U, ~0U, INT64_MIN, INT64_MAX};
  node.changed_at = at_ns(INT64_MAX);
  node.local = true;
  EXPECT_EQ(decode_node(node_key(node.parent, node.name), encode_node(node)), node);
}

TEST(Record, each_kind_has_what_belongs_to_it) {
  Node node = cv();
  for (const NodeKind kind : {NodeKind::symlink, NodeKind::fifo, NodeKind::socket, NodeKind::character_device, NodeKind::block_device}) {
    node.kind = kind;
    const bool device = kind == NodeKind::character_device || kind == NodeKind::block_device;
    node.rdev = 0;
    EXPECT_TRUE(survives(node));
    node.rdev = ~0U;
    EXPECT_EQ(survives(node), device) << static_cast<int>(kind);
    node.rdev = 0;
    node.target = std::string(kTargetBytesMax, 't');
    EXPECT_EQ(survives(node), kind == NodeKind::symlink) << static_cast<int>(kind);
    node.target.clear();
  }
  node.kind = static_cast<NodeKind>(8);
  EXPECT_FALSE(survives(node));
  node = latest();
  node.target += std::string(kTargetBytesMax, 't');
  EXPECT_FALSE(survives(node)) << "the target is too long";
}

TEST(Record, keys_sort_by_parent_then_place) {
  EXPECT_LT(node_key(1, "z"), node_key(2, "a"));
  EXPECT_LT(node_key(255, "z"), node_key(256, "a"));
  EXPECT_LT(node_key(1, ""), node_key(1, "a"));
  EXPECT_LT(node_key(1, "a"), node_key(1, "a0"));
  EXPECT_LT(node_key(1, "a-b"), node_key(1, "a")) << "as S3 lists a-b before a/";
}

TEST(Record, a_key_whose_place_is_of_no_name_is_not_read) {
  EXPECT_TRUE(decode_node(node_key(1, "cv.pdf"), encode_node(cv())));
  EXPECT_FALSE(decode_node(children_key(1, "cv.pdf"), encode_node(cv())));
  EXPECT_FALSE(decode_node(children_key(1, "/"), encode_node(cv())));
}

TEST(Record, every_wrong_byte_of_the_head_is_noticed_or_harmless) {
  const std::string key = node_key(kRootInode, "cv.pdf");
  const std::string good = encode_node(cv());
  for (const std::size_t at : {0, 1, 2, 3, 4, 5, 6, 7, 60, 63, 80, 81, 82, 83}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    EXPECT_FALSE(decode_node(key, bad)) << "byte " << at;
  }
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(decode_node(key, good.substr(0, length))) << length;
  }
  EXPECT_FALSE(decode_node(key, good + "x"));
  EXPECT_FALSE(decode_node(key.substr(0, 8), good)) << "no parent";
  EXPECT_FALSE(decode_node(key + std::string(255, 'x'), good)) << "name too long";
  EXPECT_FALSE(decode_node(key.substr(0, 9), good)) << "only the root has no name";
}

TEST(Record, random_bytes_never_harm) {
  const test::Seed seed;
  auto random = seed.engine();
  const std::string good = encode_node(cv());
  for (int round = 0; round < 20000; ++round) {
    std::string value = round % 2 == 0 ? good : std::string(random() % 100, '\0');
    for (int change = 0; change < 4 && !value.empty(); ++change) {
      value[random() % value.size()] = static_cast<char>(random());
    }
    const auto node = decode_node(node_key(7, "x"), value);
    if (node) {
      EXPECT_EQ(encode_node(*node).size(), value.size());
    }
    (void)decode_listing(value);
    (void)decode_place(value);
    (void)decode_number(value);
  }
}

TEST(Record, numbers_are_eight_bytes) {
  EXPECT_EQ(decode_number(encode_number(0x0102030405060708)), 0x0102030405060708U);
  EXPECT_EQ(encode_number(1), std::string("\x01\0\0\0\0\0\0\0", 8));
  EXPECT_FALSE(decode_number("1234567"));
}

}  // namespace
}  // namespace prefixfs::meta
