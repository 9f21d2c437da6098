// PrefixStore and MeteredStore.

#include <gmock/gmock.h>

#include "prefixfs/s3/client.h"
#include "support/fake_clock.h"
#include "support/faulty_store.h"
#include "support/memory_store.h"
#include "support/store_calls.h"
#include "unit/s3/fake_engine.h"

namespace prefixfs::s3 {

using namespace std::chrono_literals;
using test::code_of;
using test::put_text;
using test::why;
using testing::ElementsAre;

class PrefixStoreTest : public testing::Test {
 protected:
  test::FakeClock clock;
  test::MemoryStore memory{clock};
  std::unique_ptr<ObjectStore> store = make_prefix_store(memory, Prefix::from("mount/"));
};

TEST_F(PrefixStoreTest, ShowsKeysWithoutThePrefix) {
  EXPECT_EQ(code_of(put_text(*store, Key("a/b"), "x")), "");
  EXPECT_THAT(memory.keys(), ElementsAre("mount/a/b"));
  EXPECT_EQ(store->head(Key("a/b"), {})->key.str(), "a/b");
  test::StringSink sink;
  const auto got = store->get(Key("a/b"), {}, sink, {});
  ASSERT_TRUE(got) << why(got);
  EXPECT_EQ(got->info.key.str(), "a/b");
  EXPECT_EQ(sink.first.info.key.str(), "a/b");
  const auto copied = store->copy({Key("a/b"), {}}, Key("c"), {}, {});
  EXPECT_TRUE(copied) << why(copied);
  EXPECT_EQ(memory.text("mount/c"), "x");
  const std::vector<RemoveTarget> keys{{Key("a/b")}, {Key("c")}};
  const auto outcomes = store->remove_many(keys, {});
  ASSERT_TRUE(outcomes) << why(outcomes);
  EXPECT_EQ((*outcomes)[0].key.str(), "a/b");
  EXPECT_TRUE(memory.keys().empty());
}

TEST_F(PrefixStoreTest, ListsOnlyBelow) {
  for (const char* key : {"mount/", "mount/a", "mount/b/1", "mount/c", "mounted", "other"}) {
    memory.put_text(key, "x");
  }
  const auto page = store->list({}, {});
  ASSERT_TRUE(page) << why(page);
  ASSERT_EQ(page->objects.size(), 3U);
  EXPECT_EQ(page->objects[0].key.str(), "");  // the marker of the mount itself
  EXPECT_EQ(page->objects[1].key.str(), "a");
  EXPECT_THAT(page->common_prefixes, ElementsAre("b/"));
  ListOptions options;
  options.start_after = "a";
  EXPECT_EQ(store->list(options, {})->objects.at(0).key.str(), "c");
  options = {};
  options.max_keys = 1;
  const auto first = store->list(options, {});
  options.continuation_token = first->next_token;
  EXPECT_EQ(store->list(options, {})->objects.at(0).key.str(), "a");
}

TEST_F(PrefixStoreTest, UploadsAreBelowToo) {
  memory.set_part_bytes_min(1);
  const auto id = store->create_upload(Key("a"), {}, {});
  ASSERT_TRUE(id);
  EXPECT_EQ(store->list_uploads("", {})->at(0).key.str(), "a");
  memory.put_text("mount/from", "0123456789");
  const std::vector<UploadedPart> parts{*store->upload_part(Key("a"), *id, 1, test::TextSource("x"), {}),
                                        *store->upload_part_copy(Key("a"), *id, 2, {Key("from"), {}}, {2, 4}, {})};
  EXPECT_EQ(code_of(store->complete_upload(Key("a"), *id, parts, WriteCondition::none(), {})), "");
  EXPECT_EQ(memory.text("mount/a"), "x23");
}

TEST_F(PrefixStoreTest, TheWholeKeyHasToFit) {
  const std::string fits(kKeyBytesMax - 6, 'k');
  EXPECT_EQ(code_of(put_text(*store, Key(fits), "x")), "");
  EXPECT_EQ(code_of(put_text(*store, Key(fits + "k"), "x")), "name_too_long");
  EXPECT_EQ(code_of(store->copy({Key(fits), {}}, Key(fits + "k"), {}, {})), "name_too_long");
  EXPECT_EQ(code_of(store->remove_many(std::vector<RemoveTarget>{{Key(fits + "k")}}, {})), "name_too_long");
}

TEST(MeteredStore, CountsCallsErrorsBytesAndTime) {
  test::FakeClock clock;
  test::MemoryStore memory(clock);
  test::FaultyStore inner(memory);
  Metrics metrics;
  const auto store = make_metered_store(inner, clock, metrics);
  inner.before_each([&](const auto&) { clock.advance(3ms); });
  EXPECT_EQ(code_of(put_text(*store, Key("a"), "12345")), "");
  EXPECT_EQ(code_of(put_text(*store, Key("a"), "12345", WriteCondition::if_absent())), "conflict");
  EXPECT_EQ(test::get_text(*store, Key("a")).value_or(""), "12345");
  const auto counts = metrics.snapshot();
  EXPECT_EQ(counts.at("s3.PutObject.requests"), 2U);
  EXPECT_EQ(counts.at("s3.PutObject.errors"), 1U);
  EXPECT_EQ(counts.at("s3.PutObject.microseconds"), 6000U);
  EXPECT_EQ(counts.at("s3.GetObject.requests"), 1U);
  EXPECT_EQ(counts.at("s3.GetObject.errors"), 0U);
  EXPECT_EQ(counts.at("s3.bytes_sent"), 5U);
  EXPECT_EQ(counts.at("s3.bytes_received"), 5U);
}

class DeadlineStoreTest : public testing::Test {
 protected:
  DeadlineStoreTest() {
    bench.engine.handler = [](const test::SentRequest& sent, int) -> Result<http::Response> {
      const bool upload = sent.request.method == "POST";
      return test::answer(200, {{"etag", "\"e\""}, {"content-length", "3"}},
                          upload ? "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
                                 : "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>");
    };
  }
  const test::SentRequest& last() const { return bench.engine.sent.back(); }
  SteadyTime in(std::chrono::nanoseconds time) const { return bench.clock.steady() + std::chrono::duration_cast<SteadyTime::duration>(time); }

  test::ClientBench bench;
  std::unique_ptr<ObjectStore> store = make_deadline_store(bench.client(), {.answer_time = 10s, .slow_operation_time = 600s}, bench.clock);
};

TEST_F(DeadlineStoreTest, ASmallAnswerHasAFixedTime) {
  EXPECT_EQ(code_of(store->head(Key("a"), {})), "");
  EXPECT_EQ(last().deadline, in(10s));
  EXPECT_EQ(last().until, in(10s));
  EXPECT_EQ(code_of(store->head(Key("a"), {.deadline = in(2s), .cancel = {}})), "");
  EXPECT_EQ(last().until, in(2s));
}

TEST_F(DeadlineStoreTest, OnlyStandstillCountsWhereBytesMove) {
  const std::string bytes(64, 'x');
  EXPECT_EQ(code_of(store->upload_part(Key("a"), "id", 1, test::TextSource(bytes), {})), "");
  EXPECT_EQ(last().deadline, SteadyTime::max());
  EXPECT_EQ(last().until, in(10s));
  EXPECT_EQ(code_of(store->upload_part(Key("a"), "id", 1, test::TextSource(bytes), {.deadline = in(20s), .cancel = {}})), "");
  EXPECT_EQ(last().deadline, in(20s));
  EXPECT_EQ(last().until, in(10s));
}

TEST_F(DeadlineStoreTest, AServerNeedsTimeToStoreALargeBody) {
  EXPECT_EQ(code_of(store->upload_part(Key("a"), "id", 1, test::TextSource(std::string(8 << 20, 'x')), {})), "");
  EXPECT_EQ(last().until, in(18s));
}

TEST_F(DeadlineStoreTest, HashingOnABusyHostIsNoOutage) {
  class SlowSource final : public BodySource {
   public:
    explicit SlowSource(test::FakeClock& clock) : clock_(clock) {}
    std::uint64_t size() const override { return 3; }
    Result<void> read_at(std::uint64_t, std::span<std::byte> out) const override {
      clock_.advance(30s);
      std::ranges::fill(out, std::byte{'x'});
      return {};
    }

   private:
    test::FakeClock& clock_;
  };
  SteadyTime left_at;
  bench.engine.handler = [&](const test::SentRequest& sent, int) -> Result<http::Response> {
    left_at = sent.until;
    return test::answer(200, {{"etag", "\"e\""}});
  };
  const SteadyTime began = bench.clock.steady();
  EXPECT_EQ(code_of(store->upload_part(Key("a"), "id", 1, SlowSource(bench.clock), {})), "");
  EXPECT_GE(left_at, began + 40s);
}

TEST_F(DeadlineStoreTest, WhatS3WorksOnByItselfHasTenMinutes) {
  EXPECT_EQ(code_of(store->copy({Key("a"), {}}, Key("b"), {}, {})), "");
  EXPECT_TRUE(last().request.patient);
  EXPECT_EQ(last().deadline, in(600s));
  EXPECT_EQ(last().until, in(10s));  // postponed while S3 works
  EXPECT_EQ(code_of(store->upload_part_copy(Key("a"), "id", 1, {Key("b"), {}}, {0, 10}, {})), "");
  EXPECT_TRUE(last().request.patient);
  EXPECT_EQ(last().deadline, in(600s));
  const std::vector<UploadedPart> parts{{1, ETag::from_wire("e"), 3, {}}};
  EXPECT_EQ(code_of(store->complete_upload(Key("a"), "id", parts, WriteCondition::none(), {})), "");
  EXPECT_TRUE(last().request.patient);
  EXPECT_EQ(last().deadline, in(600s));
}

}  // namespace prefixfs::s3
