// What is in an archive, and comes back. No test waits until it has: each server has its own idea of how long that takes.

#include "object_store_contract.h"

namespace prefixfs::contract {

using s3::RestoreState;
using test::code_of;
using test::why;

TEST_P(ObjectStoreContract, AnArchivedObjectIsRestoredWhenSomebodyAsks) {
  SKIP_IF_LACKING("archive");
  s3::ObjectHeaders headers;
  headers.storage.storage_class = "GLACIER";
  must_put("old", "bytes", headers);
  EXPECT_EQ(code_of(test::get_text(store(), key("old"))), "unsupported");
  const auto asked = store().restore(key("old"), {}, {});
  ASSERT_TRUE(asked) << why(asked);
  EXPECT_EQ(*asked, RestoreState::started);
  EXPECT_EQ(store().head(key("old"), {})->restore, "ongoing-request=\"true\"");
  const auto again = store().restore(key("old"), {}, {});
  ASSERT_TRUE(again) << why(again);
  EXPECT_EQ(*again, RestoreState::in_progress);
}

TEST_P(ObjectStoreContract, WhatIsInNoArchiveIsNotRestored) {
  SKIP_IF_LACKING("archive");
  must_put("new", "bytes");
  const auto asked = store().restore(key("new"), {}, {});
  ASSERT_TRUE(asked) << why(asked);
  EXPECT_EQ(*asked, RestoreState::not_archived);
  EXPECT_EQ(code_of(store().restore(key("missing"), {}, {})), "not_found");
}

}  // namespace prefixfs::contract
