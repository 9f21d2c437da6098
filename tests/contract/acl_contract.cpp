// What others are granted: only a write that names it gives it to the new version.

#include "object_store_contract.h"

namespace prefixfs::contract {

using test::why;

namespace {

const std::string kEverybody = "uri=\"http://acs.amazonaws.com/groups/global/AllUsers\"";

s3::ObjectHeaders readable_by_all() {
  s3::ObjectHeaders headers;
  headers.grants.read = kEverybody;
  return headers;
}

}  // namespace

TEST_P(ObjectStoreContract, GrantsAreThoseOfTheWriteThatNamesThem) {
  SKIP_IF_LACKING("acl");
  must_put("a", "x");
  EXPECT_EQ(store().acl(key("a"), {}).value_or(Grants{.read = "?"}), Grants{}) << "the owner's alone";
  must_put("a", "x", readable_by_all());
  const auto said = store().acl(key("a"), {});
  ASSERT_TRUE(said) << why(said);
  EXPECT_EQ(said->read, kEverybody);
  EXPECT_TRUE(said->full_control.starts_with("id=")) << said->full_control;
  s3::ObjectHeaders again;
  again.grants = *said;
  must_put("a", "y", again);
  EXPECT_EQ(store().acl(key("a"), {}).value_or(Grants{}), *said);
  must_put("a", "z");
  EXPECT_EQ(store().acl(key("a"), {}).value_or(Grants{.read = "?"}), Grants{});
  EXPECT_EQ(test::code_of(store().acl(key("missing"), {})), "not_found");
}

TEST_P(ObjectStoreContract, CopiesAndUploadsTakeTheGrantsThatTheyAreGiven) {
  SKIP_IF_LACKING("acl");
  must_put("a", "x", readable_by_all());
  const Grants grants = store().acl(key("a"), {}).value_or(Grants{});
  ASSERT_TRUE(store().copy({key("a"), {}}, key("b"), {}, {}));
  EXPECT_EQ(store().acl(key("b"), {}).value_or(Grants{.read = "?"}), Grants{}) << "an ACL is not copied";
  ASSERT_TRUE(store().copy({key("a"), {}}, key("b"), {.replace = {}, .storage = {}, .condition = {}, .grants = grants}, {}));
  EXPECT_EQ(store().acl(key("b"), {}).value_or(Grants{}), grants);
  const auto upload = store().create_upload(key("c"), readable_by_all(), {});
  ASSERT_TRUE(upload) << why(upload);
  const auto part = store().upload_part(key("c"), *upload, 1, test::TextSource("bytes"), {});
  ASSERT_TRUE(part) << why(part);
  ASSERT_TRUE(store().complete_upload(key("c"), *upload, std::vector{*part}, s3::WriteCondition::none(), {}));
  EXPECT_EQ(store().acl(key("c"), {}).value_or(Grants{}), grants);
}

}  // namespace prefixfs::contract
