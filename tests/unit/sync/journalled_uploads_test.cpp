#include "prefixfs/sync/journalled_uploads.h"

#include <gtest/gtest.h>

#include "prefixfs/meta/node_cache.h"
#include "support/fake_clock.h"
#include "support/faulty_store.h"
#include "support/memory_store.h"
#include "support/temp_dir.h"

namespace prefixfs::sync {
namespace {

class JournalledUploadsTest : public testing::Test {
 protected:
  JournalledUploadsTest() {
    auto opened = meta::open_meta({.directory = directory_.path(), .source = "test", .cache_map_bytes = 16 << 20, .journal_map_bytes = 16 << 20}, clock_);
    EXPECT_TRUE(opened);
    meta_ = std::move(*opened);
    uploads_ = make_journalled_uploads(store_, *meta_.journal, clock_, *log_);
  }
  std::vector<meta::Intent> journal() { return meta_.journal->load()->intents; }

  test::TempDir directory_;
  test::FakeClock clock_;
  std::unique_ptr<Log> log_ = make_null_log();
  meta::MetaStore meta_;
  test::MemoryStore memory_{clock_};
  test::FaultyStore store_{memory_};
  std::unique_ptr<s3::ObjectStore> uploads_;
};

TEST_F(JournalledUploadsTest, an_open_upload_is_in_the_journal_until_it_ends) {
  const auto id = uploads_->create_upload(Key("a"), {}, {});
  ASSERT_TRUE(id);
  ASSERT_EQ(journal().size(), 1U);
  EXPECT_EQ(journal()[0].kind, meta::IntentKind::upload);
  EXPECT_EQ(journal()[0].path, "a");
  EXPECT_EQ(journal()[0].source, *id);
  EXPECT_TRUE(uploads_->abort_upload(Key("a"), *id, {}));
  EXPECT_TRUE(journal().empty());
}

TEST_F(JournalledUploadsTest, an_upload_whose_id_was_never_told_is_found_by_its_key) {
  store_.add({.operation = "CreateMultipartUpload", .count = 1, .after_the_work = true});
  EXPECT_FALSE(uploads_->create_upload(Key("a"), {}, {}));
  ASSERT_TRUE(memory_.create_upload(Key("ab"), {}, {}));
  ASSERT_EQ(journal().size(), 1U);
  EXPECT_EQ(memory_.open_uploads(), 2U);
  EXPECT_TRUE(abort_former_upload(store_, journal()[0], {}));
  EXPECT_EQ(memory_.open_uploads(), 1U) << "that of another key stays";
}

TEST_F(JournalledUploadsTest, an_older_upload_of_the_same_key_is_anothers) {
  ASSERT_TRUE(memory_.create_upload(Key("a"), {}, {}));
  clock_.advance(std::chrono::hours(1));
  store_.add({.operation = "CreateMultipartUpload", .count = 1});
  EXPECT_FALSE(uploads_->create_upload(Key("a"), {}, {}));
  EXPECT_TRUE(abort_former_upload(store_, journal()[0], {}));
  EXPECT_EQ(memory_.open_uploads(), 1U);
}

TEST_F(JournalledUploadsTest, one_that_was_refused_leaves_no_record) {
  store_.add({.operation = "CreateMultipartUpload", .count = 1, .error = {Errc::denied, "AccessDenied", {}}});
  EXPECT_FALSE(uploads_->create_upload(Key("a"), {}, {}));
  EXPECT_TRUE(journal().empty());
}

}  // namespace
}  // namespace prefixfs::sync
