// Parts that are sent while the program still writes.

#include <gtest/gtest.h>

#include "staged_upload.h"
#include "support/seed.h"
#include "upload_fixture.h"

namespace prefixfs::sync {
namespace {

class StreamingTest : public UploadTest {
 protected:
  bool sent(int parts) {
    return eventually([&] { return store_.count("UploadPart") >= parts; });
  }
};

TEST_F(StreamingTest, nothing_is_sent_before_more_than_a_part_is_written) {
  const auto upload = start(new_file());
  append(*upload, pattern(1000));
  EXPECT_TRUE(upload->commit(target_, {}, {}));
  EXPECT_EQ(store_.count("PutObject"), 1) << "a file of exactly one part is one put";
  EXPECT_EQ(store_.count(), 1);
}

TEST_F(StreamingTest, whole_parts_are_sent_while_the_program_writes) {
  const auto upload = start(new_file());
  const std::string text = pattern(4300);
  for (std::size_t at = 0; at < text.size(); at += 100) {
    append(*upload, text.substr(at, 100));
  }
  EXPECT_TRUE(sent(4));
  EXPECT_EQ(store_.count("CompleteMultipartUpload"), 0);
  const auto done = upload->commit(target_, {}, {});
  ASSERT_TRUE(done) << describe(done.error());
  EXPECT_EQ(object(), text);
  EXPECT_EQ(store_.count("UploadPart"), 5);
  EXPECT_EQ(store_.count(), 7) << "2 + ceil(size / part)";
  EXPECT_TRUE(file_->mark_clean(done->change_count));
}

TEST_F(StreamingTest, the_headers_are_those_of_the_moment_the_upload_was_created) {
  const auto upload = start(new_file());
  target_.headers.content_type = "text/plain";
  append(*upload, pattern(1001));
  ASSERT_TRUE(sent(1));
  target_.headers.content_type = "image/png";
  const auto done = upload->commit(target_, {}, {});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->headers.content_type, "text/plain");
  EXPECT_EQ(memory_.info("dir/file")->content_type, "text/plain");
}

TEST_F(StreamingTest, a_write_into_a_part_already_sent_is_sent_again_at_commit) {
  const auto upload = start(new_file());
  append(*upload, pattern(3500));
  ASSERT_TRUE(sent(3));
  ASSERT_TRUE(file_->write(1500, bytes("XX")));
  upload->wrote({1500, 1502}, 3500, target_);
  const auto done = upload->commit(target_, {}, {});
  ASSERT_TRUE(done);
  EXPECT_EQ(object(), pattern(3500).replace(1500, 2, "XX"));
  EXPECT_EQ(store_.count("UploadPart"), 5);
  EXPECT_EQ(store_.count("CreateMultipartUpload"), 1);
}

TEST_F(StreamingTest, a_write_that_was_not_reported_yet_is_not_lost) {
  const auto upload = start(new_file());
  append(*upload, pattern(3500));
  ASSERT_TRUE(sent(3));
  ASSERT_TRUE(file_->write(1500, bytes("XX")));
  const auto done = upload->commit(target_, {}, {});
  ASSERT_TRUE(done);
  EXPECT_EQ(done->change_count, file_->change_count());
  EXPECT_EQ(object(), pattern(3500).replace(1500, 2, "XX"));
}

TEST_F(StreamingTest, a_write_while_its_part_is_sent_voids_the_part) {
  Gate gate;
  store_.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "UploadPart") {
      gate.wait();
    }
  });
  const auto upload = start(new_file());
  append(*upload, pattern(1100));
  ASSERT_TRUE(gate.somebody_waits());
  ASSERT_TRUE(file_->write(10, bytes("XX")));
  gate.open();
  const auto done = upload->commit(target_, {}, {});
  ASSERT_TRUE(done);
  EXPECT_EQ(object(), pattern(1100).replace(10, 2, "XX"));
  EXPECT_EQ(store_.count("UploadPart"), 3);
}

TEST_F(StreamingTest, an_early_part_that_failed_is_tried_again) {
  store_.add({.operation = "UploadPart", .count = 1});
  const auto upload = start(new_file());
  append(*upload, pattern(3500));
  ASSERT_TRUE(sent(3));
  ASSERT_TRUE(upload->commit(target_, {}, {}));
  EXPECT_EQ(object(), pattern(3500));
  EXPECT_EQ(store_.count("CreateMultipartUpload"), 1);
}

TEST_F(StreamingTest, an_upload_that_could_not_be_created_is_no_reason_to_fail) {
  store_.add({.operation = "CreateMultipartUpload", .count = 1});
  const auto upload = start(new_file());
  append(*upload, pattern(3500));
  ASSERT_TRUE(upload->commit(target_, {}, {}));
  EXPECT_EQ(object(), pattern(3500));
}

TEST_F(StreamingTest, an_upload_that_somebody_aborted_begins_anew) {
  const auto upload = start(new_file());
  append(*upload, pattern(3500));
  ASSERT_TRUE(sent(3));
  const auto uploads = memory_.list_uploads("", {});
  ASSERT_EQ(uploads->size(), 1U);
  for (const auto& open : *uploads) {
    ASSERT_TRUE(memory_.abort_upload(open.key, open.id, {}));
  }
  const auto done = upload->commit(target_, {}, {});
  ASSERT_TRUE(done) << describe(done.error());
  EXPECT_EQ(object(), pattern(3500));
  EXPECT_EQ(memory_.open_uploads(), 0U);
}

TEST_F(StreamingTest, abandon_ends_the_upload_and_commit_sends_the_whole) {
  const auto upload = start(new_file());
  append(*upload, pattern(3500));
  ASSERT_TRUE(sent(2));
  ASSERT_TRUE(file_->resize(1500));
  upload->abandon();
  EXPECT_TRUE(eventually([&] { return memory_.open_uploads() == 0; })) << "without a commit";
  ASSERT_TRUE(file_->write(1500, bytes(pattern(900))));
  upload->wrote({1500, 2400}, 2400, target_);
  ASSERT_TRUE(upload->commit(target_, {}, {}));
  EXPECT_EQ(object(), pattern(1500) + pattern(900));
  EXPECT_EQ(memory_.open_uploads(), 0U);
}

TEST_F(StreamingTest, a_truncate_that_nobody_reported_is_noticed) {
  const auto upload = start(new_file());
  append(*upload, pattern(3500));
  ASSERT_TRUE(sent(3));
  ASSERT_TRUE(file_->resize(1200));
  ASSERT_TRUE(upload->commit(target_, {}, {}));
  EXPECT_EQ(object(), pattern(1200));
  EXPECT_EQ(memory_.open_uploads(), 0U);
}

TEST_F(StreamingTest, a_rename_while_writing_stores_under_the_new_name_only) {
  const auto upload = start(new_file());
  append(*upload, pattern(3500));
  ASSERT_TRUE(sent(3));
  target_.key = Key("dir/renamed");
  ASSERT_TRUE(upload->commit(target_, {}, {}));
  EXPECT_EQ(memory_.keys(), std::vector<std::string>{"dir/renamed"});
  EXPECT_EQ(object(), pattern(3500));
  EXPECT_EQ(memory_.open_uploads(), 0U);
}

TEST_F(StreamingTest, destruction_aborts) {
  Gate gate;
  store_.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "UploadPart") {
      gate.wait();
    }
  });
  auto upload = start(new_file());
  append(*upload, pattern(9500));
  ASSERT_TRUE(gate.somebody_waits(3));
  std::jthread opener([&] { gate.open(); });
  upload.reset();
  EXPECT_EQ(memory_.open_uploads(), 0U);
  EXPECT_FALSE(object());
}

TEST_F(StreamingTest, a_file_with_a_base_is_never_streamed) {
  const auto upload = start(stored_file(pattern(3000)));
  ASSERT_TRUE(file_->write(0, bytes(pattern(3000, 9))));
  upload->wrote({0, 3000}, 3000, target_);
  upload->wrote({0, 3000}, 3000, target_);
  EXPECT_EQ(store_.count(), 0);
  ASSERT_TRUE(upload->commit(target_, fill(), {}));
  EXPECT_EQ(object(), pattern(3000, 9));
}

TEST_F(StreamingTest, parts_grow_so_that_a_large_file_fits) {
  options_.limits.parts_max = 24;  // doubles after every second part
  const auto upload = start(new_file());
  const std::string text = pattern(100000);
  for (std::size_t at = 0; at < text.size(); at += 500) {
    append(*upload, text.substr(at, 500));
  }
  ASSERT_TRUE(upload->commit(target_, {}, {}));
  EXPECT_TRUE(object() == text);
  EXPECT_EQ(store_.count("CreateMultipartUpload"), 1);
  EXPECT_EQ(store_.count("UploadPart"), 12);
}

TEST_F(StreamingTest, the_writer_does_not_wait_while_parts_are_on_their_way) {
  Gate gate;
  store_.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "UploadPart") {
      gate.wait();
    }
  });
  const auto upload = start(new_file());
  const std::string text = pattern(20000);
  for (std::size_t at = 0; at < text.size(); at += 1000) {
    append(*upload, text.substr(at, 1000));
  }
  EXPECT_TRUE(gate.somebody_waits(3));
  EXPECT_EQ(store_.count("UploadPart"), 3) << "as many as may be in flight";
  gate.open();
  ASSERT_TRUE(upload->commit(target_, {}, {}));
  EXPECT_TRUE(object() == text);
}

TEST_F(StreamingTest, random_writers_and_commits_never_lose_a_byte) {
  const test::Seed seed;
  auto random = seed.engine();
  for (int round = 0; round < 30; ++round) {
    memory_.erase("dir/file");
    target_.base_etag = {};
    target_.condition = {};
    store_.clear_faults();
    const auto upload = start(new_file());
    std::uint64_t sequential_end = 0;
    for (int step = 0; step < 60; ++step) {
      switch (random() % 12) {
        case 0:
          ASSERT_TRUE(file_->resize(random() % 6000));
          sequential_end = 0;
          upload->abandon();
          break;
        case 1:
          store_.add({.operation = "UploadPart", .count = 1});
          break;
        case 2: {
          const auto done = upload->commit(target_, fill(), {});
          if (done && file_->mark_clean(done->change_count)) {
            target_.base_etag = done->etag;
            target_.condition = s3::WriteCondition::if_match(done->etag);
            std::string local(file_->size(), '\0');
            ASSERT_TRUE(file_->read(0, std::as_writable_bytes(std::span(local))));
            ASSERT_TRUE(object() == local) << "round " << round << " step " << step;
          }
          ASSERT_EQ(memory_.open_uploads(), 0U);
          break;
        }
        default: {
          const std::uint64_t at = random() % 4 == 0 ? random() % (file_->size() + 1) : file_->size();
          const std::string text = pattern(1 + random() % 400, static_cast<unsigned>(random()));
          ASSERT_TRUE(file_->write(at, bytes(text)));
          sequential_end = at == sequential_end ? at + text.size() : sequential_end;
          upload->wrote({at, at + text.size()}, sequential_end, target_);
        }
      }
    }
    store_.clear_faults();
    ASSERT_TRUE(upload->commit(target_, fill(), {}));
    std::string local(file_->size(), '\0');
    ASSERT_TRUE(file_->read(0, std::as_writable_bytes(std::span(local))));
    ASSERT_TRUE(object() == local) << "round " << round;
  }
}

}  // namespace
}  // namespace prefixfs::sync
