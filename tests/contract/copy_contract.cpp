#include "object_store_contract.h"

#include <set>
#include <sstream>

namespace prefixfs::contract {

using test::code_of;
using test::why;

namespace {

s3::ObjectHeaders some_headers() {
  s3::ObjectHeaders headers;
  headers.content_type = "text/csv";
  headers.user_metadata = {{"file-owner", "1000"}, {"colour", "blue"}};
  return headers;
}

/// They are a set: servers give them back in any order.
std::set<std::string> sorted_tags(const std::string& tagging) {
  std::istringstream in(tagging);
  std::set<std::string> tags;
  for (std::string tag; std::getline(in, tag, '&');) {
    tags.insert(tag);
  }
  return tags;
}

}  // namespace

TEST_P(ObjectStoreContract, ACopyKeepsBytesAndAttributes) {
  must_put("from", "1,2,3", some_headers());
  const auto copied = store().copy({key("from"), {}}, key("to"), {}, {});
  ASSERT_TRUE(copied) << why(copied);
  EXPECT_EQ(must_get("to"), "1,2,3");
  EXPECT_EQ(must_get("from"), "1,2,3");
  const auto info = store().head(key("to"), {});
  ASSERT_TRUE(info) << why(info);
  EXPECT_EQ(info->etag, copied->etag);
  EXPECT_EQ(info->content_type, "text/csv");
  EXPECT_EQ(info->user_metadata, some_headers().user_metadata);
}

TEST_P(ObjectStoreContract, ACopyOntoItselfReplacesTheAttributes) {
  must_put("a", "1,2,3", some_headers());
  s3::CopyOptions options;
  options.replace = some_headers();
  options.replace->content_type = "text/plain";
  options.replace->user_metadata = {{"file-owner", "0"}};
  const auto before = store().head(key("a"), {});
  ASSERT_TRUE(before) << why(before);
  const auto copied = store().copy({key("a"), before->etag}, key("a"), options, {});
  ASSERT_TRUE(copied) << why(copied);
  EXPECT_EQ(must_get("a"), "1,2,3");
  const auto info = store().head(key("a"), {});
  ASSERT_TRUE(info) << why(info);
  EXPECT_EQ(info->content_type, "text/plain");
  EXPECT_EQ(info->user_metadata, options.replace->user_metadata);
}

TEST_P(ObjectStoreContract, TagsAreWrittenReadAndCopied) {
  SKIP_IF_LACKING("tagging");
  s3::ObjectHeaders headers = some_headers();
  headers.tagging = "kind=re%2Fport&year=2026";
  must_put("a", "1,2,3", headers);
  const auto info = store().head(key("a"), {});
  ASSERT_TRUE(info) << why(info);
  EXPECT_EQ(info->tag_count, 2);
  EXPECT_EQ(sorted_tags(store().tagging(key("a"), {}).value_or("?")), sorted_tags(headers.tagging));
  ASSERT_TRUE(store().copy({key("a"), {}}, key("b"), {}, {}));
  EXPECT_EQ(sorted_tags(store().tagging(key("b"), {}).value_or("?")), sorted_tags(headers.tagging));
  must_put("a", "no tags");
  EXPECT_EQ(store().head(key("a"), {})->tag_count, 0);
  EXPECT_EQ(code_of(store().tagging(key("missing"), {})), "not_found");
}

TEST_P(ObjectStoreContract, ACopyOfAnotherVersionIsAConflict) {
  SKIP_IF_LACKING("copy_source_condition");
  const ETag first = must_put("from", "first");
  must_put("from", "second");
  EXPECT_EQ(code_of(store().copy({key("from"), first}, key("to"), {}, {})), "conflict");
  EXPECT_FALSE(exists("to"));
}

TEST_P(ObjectStoreContract, ACopyOfWhatIsNotThereIsNotFound) {
  EXPECT_EQ(code_of(store().copy({key("missing"), {}}, key("to"), {}, {})), "not_found");
  EXPECT_FALSE(exists("to"));
}

TEST_P(ObjectStoreContract, OddKeysCanBeCopied) {
  for (const std::string name : {"a b+c%20d", "\xC3\xBC?x=1&y", "q\"'#"}) {
    must_put(name, "content of " + name);
    const auto copied = store().copy({key(name), {}}, key("copy of " + name), {}, {});
    ASSERT_TRUE(copied) << name << ": " << why(copied);
    EXPECT_EQ(must_get("copy of " + name), "content of " + name);
  }
}

}  // namespace prefixfs::contract
