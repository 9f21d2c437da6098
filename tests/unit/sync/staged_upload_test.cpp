#include "staged_upload.h"

#include <gtest/gtest.h>

#include "support/seed.h"
#include "upload_fixture.h"

namespace prefixfs::sync {
namespace {

class StagedUploadTest : public UploadTest {
 protected:
  /// Commits, and expects the object to be the file afterwards.
  Committed expect_committed(FileUpload& upload) {
    auto done = upload.commit(target_, fill(), {});
    EXPECT_TRUE(done) << describe(done.error());
    if (!done) {
      return {};
    }
    EXPECT_EQ(memory_.open_uploads(), 0U);
    const auto info = memory_.info(target_.key.str());
    EXPECT_EQ(info->etag, done->etag);
    EXPECT_EQ(info->size, done->size);
    return *done;
  }
};

TEST_F(StagedUploadTest, an_empty_file_is_one_put_of_nothing) {
  const auto upload = start(new_file());
  target_.headers.content_type = "text/plain";
  const Committed done = expect_committed(*upload);
  EXPECT_EQ(object(), "");
  EXPECT_EQ(done.size, 0U);
  EXPECT_EQ(done.headers.content_type, "text/plain");
  EXPECT_EQ(store_.count("PutObject"), 1);
  EXPECT_EQ(store_.count(), 1);
}

TEST_F(StagedUploadTest, a_small_file_is_one_put) {
  const auto upload = start(new_file(pattern(1000)));
  const Committed done = expect_committed(*upload);
  EXPECT_EQ(object(), pattern(1000));
  EXPECT_EQ(store_.count(), 1);
  EXPECT_EQ(done.change_count, file_->change_count());
  EXPECT_TRUE(file_->mark_clean(done.change_count));
}

TEST_F(StagedUploadTest, a_large_file_is_sent_in_parts) {
  const auto upload = start(new_file(pattern(5300)));
  target_.headers.user_metadata["file-permissions"] = "0100640";
  expect_committed(*upload);
  EXPECT_EQ(object(), pattern(5300));
  EXPECT_EQ(store_.count("UploadPart"), 6);
  EXPECT_EQ(store_.count(), 8);
  EXPECT_EQ(memory_.info("dir/file")->user_metadata.at("file-permissions"), "0100640");
}

TEST_F(StagedUploadTest, a_small_change_of_a_small_file_fetches_the_rest) {
  const auto upload = start(stored_file(pattern(800)));
  ASSERT_TRUE(file_->write(10, bytes("XX")));
  expect_committed(*upload);
  EXPECT_EQ(object(), pattern(800).replace(10, 2, "XX"));
  EXPECT_EQ(filled_, 798U);
  EXPECT_EQ(store_.count(), 1);
}

TEST_F(StagedUploadTest, an_append_copies_what_is_there) {
  const auto upload = start(stored_file(pattern(9000)));
  ASSERT_TRUE(file_->write(9000, bytes("more")));
  expect_committed(*upload);
  EXPECT_EQ(object(), pattern(9000) + "more");
  EXPECT_EQ(filled_, 0U) << "nothing is downloaded";
  EXPECT_EQ(store_.count("UploadPartCopy"), 2);
  EXPECT_EQ(store_.count("UploadPart"), 1);
  EXPECT_EQ(store_.count(), 5);
}

TEST_F(StagedUploadTest, an_overwrite_in_the_middle_sends_one_part) {
  const auto upload = start(stored_file(pattern(9000)));
  ASSERT_TRUE(file_->write(4500, bytes("XX")));
  expect_committed(*upload);
  EXPECT_EQ(object(), pattern(9000).replace(4500, 2, "XX"));
  EXPECT_EQ(filled_, 498U);
  EXPECT_EQ(store_.count(), 5);
}

TEST_F(StagedUploadTest, shrinking_and_growing_are_stored) {
  const auto upload = start(stored_file(pattern(9000)));
  ASSERT_TRUE(file_->resize(3000));
  target_.base_etag = expect_committed(*upload).etag;
  EXPECT_EQ(object(), pattern(3000));
  ASSERT_TRUE(file_->mark_clean(file_->change_count()));
  ASSERT_TRUE(file_->resize(5000));
  target_.condition = s3::WriteCondition::if_match(target_.base_etag);
  expect_committed(*upload);
  EXPECT_EQ(object(), pattern(3000) + std::string(2000, '\0'));
}

TEST_F(StagedUploadTest, without_part_copies_everything_is_fetched_and_sent) {
  const auto upload = start(stored_file(pattern(3000)));
  ASSERT_TRUE(file_->write(3000, bytes("more")));
  memory_.set_capabilities({.part_copy = s3::Support::no});
  expect_committed(*upload);
  EXPECT_EQ(object(), pattern(3000) + "more");
  EXPECT_EQ(store_.count("UploadPartCopy"), 0);
  EXPECT_EQ(filled_, 3000U);
}

TEST_F(StagedUploadTest, an_endpoint_that_turns_out_to_have_no_part_copy_gets_everything) {
  const auto upload = start(stored_file(pattern(3000)));
  ASSERT_TRUE(file_->write(3000, bytes("more")));
  store_.add({.operation = "UploadPartCopy", .count = -1, .error = {Errc::unsupported, "no such operation", {}}});
  expect_committed(*upload);
  EXPECT_EQ(object(), pattern(3000) + "more");
}

TEST_F(StagedUploadTest, a_version_that_has_changed_is_a_conflict_and_is_not_overwritten) {
  const auto upload = start(stored_file(pattern(3000)));
  ASSERT_TRUE(file_->write(3000, bytes("more")));
  memory_.put_text("dir/file", "somebody else");
  const auto done = upload->commit(target_, fill(), {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::conflict);
  EXPECT_EQ(object(), "somebody else");
  EXPECT_EQ(memory_.open_uploads(), 0U);
  EXPECT_TRUE(file_->changed());
}

TEST_F(StagedUploadTest, conditions_travel_with_single_puts_and_multipart_uploads) {
  for (const std::size_t size : {100, 3000}) {
    const auto upload = start(new_file(pattern(size)));
    target_.condition = s3::WriteCondition::if_absent();
    memory_.put_text("dir/file", "there");
    EXPECT_EQ(upload->commit(target_, {}, {}).error().code, Errc::conflict);
    EXPECT_EQ(object(), "there");
    EXPECT_EQ(memory_.open_uploads(), 0U);
  }
}

TEST_F(StagedUploadTest, a_file_that_is_too_large_is_refused_before_any_request) {
  options_.limits.object_bytes_max = 2000;
  const auto upload = start(new_file(pattern(2001)));
  EXPECT_EQ(upload->commit(target_, {}, {}).error().code, Errc::too_large);
  EXPECT_EQ(store_.count(), 0);
}

TEST_F(StagedUploadTest, bytes_that_cannot_be_fetched_are_the_error) {
  const auto upload = start(stored_file(pattern(800)));
  ASSERT_TRUE(file_->write(10, bytes("XX")));
  const auto gone = [](const std::vector<ByteRange>&, const CallContext&) -> Result<void> { return fail(Errc::stale, "gone"); };
  EXPECT_EQ(upload->commit(target_, gone, {}).error().code, Errc::stale);
  const auto lazy = [](const std::vector<ByteRange>&, const CallContext&) -> Result<void> { return {}; };
  EXPECT_EQ(upload->commit(target_, lazy, {}).error().code, Errc::io);
  EXPECT_EQ(upload->commit(target_, {}, {}).error().code, Errc::internal);
  EXPECT_EQ(object(), pattern(800));
}

// ---- every call fails once ----

struct Case {
  const char* name;
  std::size_t base;
  std::uint64_t at;
  std::size_t length;
  bool streamed;
};

class EveryCallFails : public StagedUploadTest, public ::testing::WithParamInterface<Case> {};

TEST_P(EveryCallFails, and_the_object_is_the_old_one_or_the_new_one) {
  const Case& c = GetParam();
  const std::string old = pattern(c.base, 1);
  const std::string change = pattern(c.length, 2);
  std::string wanted = old;
  wanted.resize(std::max<std::size_t>(wanted.size(), c.at + c.length));
  wanted.replace(c.at, c.length, change);
  for (int lost_answer = 0; lost_answer < 2; ++lost_answer) {
    for (int nth = 0;; ++nth) {
      ASSERT_LT(nth, 40);
      store_.clear_faults();
      memory_.erase("dir/file");
      target_.base_etag = {};
      target_.condition = {};
      const auto upload = start(c.base > 0 ? stored_file(old) : new_file());
      store_.forget_calls();
      // An upload of which nobody ever learns the id cannot be aborted; a lifecycle rule ends it.
      store_.add({.operation = lost_answer == 1 ? "CompleteMultipartUpload" : "", .skip = nth, .after_the_work = lost_answer == 1});
      if (c.streamed) {
        for (std::size_t at = 0; at < change.size(); at += 100) {
          append(*upload, change.substr(at, 100));
        }
      } else {
        ASSERT_TRUE(file_->write(c.at, bytes(change)));
      }
      const auto done = upload->commit(target_, fill(), {});
      const bool passed_untouched = store_.count(lost_answer == 1 ? "CompleteMultipartUpload" : "") <= nth;
      EXPECT_EQ(memory_.open_uploads(), 0U) << c.name << ", call " << nth;
      if (done) {
        EXPECT_EQ(object(), wanted) << c.name << ", call " << nth;
        EXPECT_TRUE(file_->mark_clean(done->change_count));
      } else {
        const bool unchanged = c.base > 0 ? object() == old : !object();
        EXPECT_TRUE(unchanged || (lost_answer == 1 && object() == wanted)) << c.name << ", call " << nth;
        EXPECT_TRUE(file_->changed());
        if (unchanged) {
          store_.clear_faults();
          EXPECT_TRUE(upload->commit(target_, fill(), {})) << "the next commit tries anew";
          EXPECT_EQ(object(), wanted);
        }
      }
      if (passed_untouched) {
        EXPECT_TRUE(done);
        break;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, EveryCallFails,
                         ::testing::Values(Case{"small", 0, 0, 500, false}, Case{"parts", 0, 0, 4300, false},
                                           Case{"append", 9000, 9000, 10, false},
                                           Case{"middle", 9000, 4000, 10, false}, Case{"streamed", 0, 0, 4300, true}),
                         [](const auto& instance) { return instance.param.name; });

TEST_F(StagedUploadTest, an_abort_that_fails_is_not_the_error_of_the_commit) {
  const auto upload = start(new_file(pattern(3000)));
  store_.add({.operation = "UploadPart", .count = 1, .error = {Errc::denied, "no", {}}});
  store_.add({.operation = "AbortMultipartUpload", .count = 1});
  EXPECT_EQ(upload->commit(target_, {}, {}).error().code, Errc::denied);
}

// ---- limits and interruption ----

TEST_F(StagedUploadTest, no_more_parts_are_in_flight_than_allowed) {
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  Gate gate;
  store_.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "UploadPart") {
      most = std::max(most.load(), ++now);
      gate.wait();
      --now;
    }
  });
  const auto upload = start(new_file(pattern(20000)));
  std::jthread committer([&] { EXPECT_TRUE(upload->commit(target_, {}, {})); });
  EXPECT_TRUE(gate.somebody_waits(3));
  EXPECT_EQ(gate.waiting(), 3);
  gate.open();
  committer.join();
  EXPECT_LE(most, 3);
  EXPECT_EQ(object(), pattern(20000));
}

TEST_F(StagedUploadTest, a_cancelled_commit_aborts) {
  std::stop_source stop;
  Gate gate;
  store_.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "UploadPart") {
      gate.wait();
    }
  });
  const auto upload = start(new_file(pattern(20000)));
  Result<Committed> done = Committed{};
  std::jthread committer([&] { done = upload->commit(target_, {}, {.deadline = SteadyTime::max(), .cancel = stop.get_token()}); });
  ASSERT_TRUE(gate.somebody_waits());
  stop.request_stop();
  gate.open();
  committer.join();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::cancelled);
  EXPECT_EQ(memory_.open_uploads(), 0U);
  EXPECT_EQ(store_.count("AbortMultipartUpload"), 1);
  EXPECT_LE(store_.count("UploadPart"), 3) << "nothing more is begun";
  EXPECT_FALSE(object());
}

TEST_F(StagedUploadTest, a_deadline_ends_the_wait_and_aborts) {
  Gate gate;
  store_.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "UploadPart") {
      gate.wait();
    }
  });
  const auto upload = start(new_file(pattern(3000)));
  std::jthread opener([&] {
    EXPECT_TRUE(gate.somebody_waits());
    EXPECT_TRUE(eventually([&] { return std::chrono::steady_clock::now() > began_ + std::chrono::milliseconds(60); }));
    gate.open();
  });
  const auto done = upload->commit(target_, {}, {.deadline = began_ + std::chrono::milliseconds(50), .cancel = {}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::timeout);
  EXPECT_EQ(memory_.open_uploads(), 0U);
}

// ---- writes while a commit runs ----

TEST_F(StagedUploadTest, a_write_during_a_single_put_never_makes_a_mixture) {
  const auto upload = start(new_file(std::string(900, 'a')));
  int writes = 0;
  store_.before_each([&](const test::FaultyStore::Call&) {
    if (writes++ < 2) {
      EXPECT_TRUE(file_->write(0, bytes(std::string(900, static_cast<char>('b' + writes)))));
    }
  });
  const Committed done = expect_committed(*upload);
  EXPECT_EQ(object(), std::string(900, 'd'));
  EXPECT_TRUE(file_->mark_clean(done.change_count));
}

TEST_F(StagedUploadTest, a_small_file_that_never_rests_is_stored_as_of_one_moment) {
  const auto upload = start(new_file(std::string(900, 'a')));
  std::atomic<char> letter{'a'};
  store_.before_each([&](const test::FaultyStore::Call&) { EXPECT_TRUE(file_->write(0, bytes(std::string(900, ++letter)))); });
  const Committed done = expect_committed(*upload);
  const std::string stored = object().value_or("");
  EXPECT_EQ(stored, std::string(900, stored[0]));
  EXPECT_FALSE(file_->mark_clean(done.change_count)) << "later writes are seen as changes";
}

TEST_F(StagedUploadTest, a_write_into_a_sent_part_sends_it_again) {
  const auto upload = start(new_file(pattern(5000)));
  std::atomic<bool> written{false};
  store_.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "UploadPart" && store_.count("UploadPart") == 5 && !written.exchange(true)) {
      EXPECT_TRUE(file_->write(10, bytes("XX")));
    }
  });
  const Committed done = expect_committed(*upload);
  EXPECT_EQ(object(), pattern(5000).replace(10, 2, "XX"));
  EXPECT_EQ(done.change_count, 2U);
  EXPECT_EQ(store_.count("UploadPart"), 6);
  EXPECT_EQ(store_.count("CreateMultipartUpload"), 1);
}

TEST_F(StagedUploadTest, a_write_into_a_copied_range_makes_a_new_plan) {
  const auto upload = start(stored_file(pattern(9000)));
  ASSERT_TRUE(file_->write(9000, bytes("more")));
  std::atomic<bool> written{false};
  store_.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "UploadPartCopy" && !written.exchange(true)) {
      EXPECT_TRUE(file_->write(100, bytes("XX")));
    }
  });
  expect_committed(*upload);
  EXPECT_EQ(object(), (pattern(9000) + "more").replace(100, 2, "XX"));
  EXPECT_EQ(store_.count("AbortMultipartUpload"), 1);
}

TEST_F(StagedUploadTest, a_truncate_while_parts_are_sent_makes_a_new_plan) {
  const auto upload = start(new_file(pattern(5000)));
  std::atomic<bool> cut{false};
  store_.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "UploadPart" && !cut.exchange(true)) {
      EXPECT_TRUE(file_->resize(2500));
    }
  });
  const auto done = upload->commit(target_, {}, {});
  if (done) {
    EXPECT_EQ(object(), pattern(2500));
  } else {
    EXPECT_EQ(done.error().code, Errc::stale) << "a part could not be read any more";
    EXPECT_TRUE(upload->commit(target_, {}, {}));
    EXPECT_EQ(object(), pattern(2500));
  }
  EXPECT_EQ(memory_.open_uploads(), 0U);
}

TEST_F(StagedUploadTest, a_large_file_that_never_rests_is_stored_and_stays_changed) {
  const auto upload = start(new_file(pattern(3000)));
  store_.before_each([&](const test::FaultyStore::Call& call) {
    if (call.operation == "UploadPart") {
      EXPECT_TRUE(file_->write(0, bytes("X")));
    }
  });
  const Committed done = expect_committed(*upload);
  EXPECT_FALSE(file_->mark_clean(done.change_count));
  store_.before_each({});
  EXPECT_TRUE(file_->mark_clean(expect_committed(*upload).change_count));
  EXPECT_EQ(object(), pattern(3000).replace(0, 1, "X"));
}

TEST_F(StagedUploadTest, nothing_is_lost_when_many_write_and_one_commits) {
  const test::Seed seed;
  const auto upload = start(new_file(pattern(6000)));
  std::atomic<bool> done{false};
  std::vector<std::jthread> writers;
  for (unsigned t = 0; t < 2; ++t) {
    writers.emplace_back([&, t] {
      std::mt19937_64 random(seed.value() + t);
      for (int i = 0; i < 300; ++i) {
        const std::uint64_t at = random() % 7000;
        EXPECT_TRUE(file_->write(at, bytes(pattern(1 + random() % 50, static_cast<unsigned>(random())))));
        upload->wrote({at, at + 1}, 0, target_);
      }
      done = true;
    });
  }
  while (!done) {
    const auto committed = upload->commit(target_, fill(), {});
    if (committed) {
      (void)file_->mark_clean(committed->change_count);
    } else {
      EXPECT_EQ(committed.error().code, Errc::busy) << describe(committed.error());
    }
  }
  writers.clear();
  if (file_->changed()) {
    EXPECT_TRUE(file_->mark_clean(expect_committed(*upload).change_count));
  }
  std::string local(file_->size(), '\0');
  ASSERT_TRUE(file_->read(0, std::as_writable_bytes(std::span(local))));
  EXPECT_TRUE(object() == local) << "what is clean is what is stored";
  EXPECT_EQ(memory_.open_uploads(), 0U);
}

}  // namespace
}  // namespace prefixfs::sync
