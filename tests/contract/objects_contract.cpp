// Put, get, head, delete.

#include <gmock/gmock.h>

#include "object_store_contract.h"
#include "prefixfs/crypto/crc64nvme.h"

namespace prefixfs::contract {

using test::code_of;
using test::StringSink;
using test::why;
using testing::IsEmpty;

namespace {

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  std::uint32_t state = 12345;
  for (char& c : text) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return text;
}

std::uint64_t crc_of(const std::string& text) { return crypto::crc64nvme(0, std::as_bytes(std::span(text.data(), text.size()))); }

s3::GetOptions range(std::uint64_t begin, std::uint64_t end) {
  s3::GetOptions options;
  options.range = ByteRange{begin, end};
  return options;
}

}  // namespace

TEST_P(ObjectStoreContract, WhatIsPutIsGot) {
  for (const std::size_t size : {0U, 1U, 5U, 65536U, 300001U, 9U << 20}) {
    const std::string text = pattern(size);
    const std::string name = "size-" + std::to_string(size);
    const ETag etag = must_put(name, text);
    StringSink sink;
    const auto answer = store().get(key(name), {}, sink, {});
    ASSERT_TRUE(answer) << why(answer);
    EXPECT_TRUE(sink.text == text) << size << " bytes";
    EXPECT_EQ(answer->info.size, size);
    EXPECT_EQ(answer->info.etag, etag);
    EXPECT_EQ(answer->info.key, key(name));
    EXPECT_EQ(answer->range, (ByteRange{0, size}));
    EXPECT_FALSE(answer->not_modified);
    EXPECT_EQ(sink.begun, 1);
    EXPECT_EQ(sink.first.info.etag, etag);
  }
}

TEST_P(ObjectStoreContract, PutAnswersWithTheChecksum) {
  SKIP_IF_LACKING("checksum");
  const std::string text = pattern(70000);
  const auto answer = test::put_text(store(), key("a"), text);
  ASSERT_TRUE(answer) << why(answer);
  EXPECT_EQ(answer->crc64nvme, crc_of(text));
  const auto info = store().head(key("a"), {});
  ASSERT_TRUE(info) << why(info);
  EXPECT_EQ(info->crc64nvme, crc_of(text));
}

TEST_P(ObjectStoreContract, HeadTellsWhatWasPut) {
  s3::ObjectHeaders headers;
  headers.content_type = "application/pdf";
  headers.cache_control = "max-age=60";
  headers.content_disposition = "attachment; filename=\"a b.pdf\"";
  headers.content_language = "de";
  headers.user_metadata = {{"file-permissions", "0100640"}, {"file-owner", "1000"}, {"note", "x=1; y=\"2\" %C3%A9"}};
  const auto before = std::chrono::system_clock::now() - std::chrono::minutes(10);
  const ETag etag = must_put("doc.pdf", "content", headers);
  const auto info = store().head(key("doc.pdf"), {});
  ASSERT_TRUE(info) << why(info);
  EXPECT_EQ(info->size, 7U);
  EXPECT_EQ(info->etag, etag);
  EXPECT_TRUE(info->complete);
  EXPECT_EQ(info->content_type, "application/pdf");
  EXPECT_EQ(info->user_metadata, headers.user_metadata);
  EXPECT_GT(info->last_modified, before);
  if (!lacks("standard_headers")) {
    EXPECT_EQ(info->cache_control, "max-age=60");
    EXPECT_EQ(info->content_disposition, headers.content_disposition);
    EXPECT_EQ(info->content_language, "de");
  }
}

TEST_P(ObjectStoreContract, APutReplacesBytesAndAttributes) {
  s3::ObjectHeaders headers;
  headers.content_type = "text/plain";
  headers.user_metadata = {{"one", "1"}};
  const ETag first = must_put("a", "first", headers);
  headers.user_metadata = {{"two", "2"}};
  const ETag second = must_put("a", "second one", headers);
  EXPECT_NE(first, second);
  const auto info = store().head(key("a"), {});
  ASSERT_TRUE(info) << why(info);
  EXPECT_EQ(info->etag, second);
  EXPECT_EQ(info->size, 10U);
  EXPECT_EQ(info->user_metadata, headers.user_metadata);
  EXPECT_EQ(must_get("a"), "second one");
}

TEST_P(ObjectStoreContract, MetadataThatCannotTravelIsRefused) {
  s3::ObjectHeaders headers;
  headers.user_metadata = {{"a", "caf\xC3\xA9"}};
  EXPECT_EQ(code_of(test::put_text(store(), key("a"), "x", s3::WriteCondition::none(), headers)), "invalid");
  headers.user_metadata = {{"a", "two\nlines"}};
  EXPECT_EQ(code_of(test::put_text(store(), key("a"), "x", s3::WriteCondition::none(), headers)), "invalid");
  headers.user_metadata = {{"a", std::string(s3::kUserMetadataBytesMax, 'x')}};
  EXPECT_EQ(code_of(test::put_text(store(), key("a"), "x", s3::WriteCondition::none(), headers)), "too_large");
  EXPECT_FALSE(exists("a"));
}

TEST_P(ObjectStoreContract, WhatIsNotThereIsNotFound) {
  const auto head = store().head(key("missing"), {});
  EXPECT_EQ(code_of(head), "not_found");
  EXPECT_EQ(head.error().origin.http_status, 404);
  EXPECT_EQ(head.error().origin.operation, "HeadObject");
  StringSink sink;
  const auto get = store().get(key("missing"), {}, sink, {});
  EXPECT_EQ(code_of(get), "not_found");
  EXPECT_EQ(get.error().origin.key, key("missing").str());
  EXPECT_EQ(sink.begun, 0);
}

TEST_P(ObjectStoreContract, RangesAreCutAtTheEnd) {
  must_put("a", "0123456789");
  for (const auto& [begin, end, text] :
       {std::tuple{0U, 1U, "0"}, {3U, 7U, "3456"}, {9U, 10U, "9"}, {7U, 100U, "789"}, {0U, 10U, "0123456789"}}) {
    StringSink sink;
    const auto answer = store().get(key("a"), range(begin, end), sink, {});
    ASSERT_TRUE(answer) << why(answer);
    EXPECT_EQ(sink.text, text);
    EXPECT_EQ(answer->range, (ByteRange{begin, std::min(end, 10U)}));
    EXPECT_EQ(answer->info.size, 10U);
  }
}

TEST_P(ObjectStoreContract, ARangeBeyondTheEndIsInvalid) {
  must_put("a", "0123456789");
  StringSink sink;
  const auto answer = store().get(key("a"), range(10, 20), sink, {});
  EXPECT_EQ(code_of(answer), "invalid") << why(answer);
  EXPECT_EQ(answer.error().origin.http_status, 416);
  EXPECT_EQ(sink.begun, 0);
}

TEST_P(ObjectStoreContract, EveryRangeOfAnEmptyObjectIsEmpty) {
  const ETag etag = must_put("empty", "");
  StringSink sink;
  const auto answer = store().get(key("empty"), range(0, 131072), sink, {});
  ASSERT_TRUE(answer) << why(answer);
  EXPECT_EQ(answer->info.size, 0U);
  EXPECT_EQ(answer->info.etag, etag);
  EXPECT_TRUE(answer->range.empty());
  EXPECT_EQ(sink.begun, 1);
  EXPECT_EQ(sink.text, "");
}

TEST_P(ObjectStoreContract, GetIfNoneMatchSavesTheBody) {
  SKIP_IF_LACKING("conditional_get");
  const ETag etag = must_put("a", "one");
  s3::GetOptions options;
  options.if_none_match = etag;
  StringSink sink;
  auto answer = store().get(key("a"), options, sink, {});
  ASSERT_TRUE(answer) << why(answer);
  EXPECT_TRUE(answer->not_modified);
  EXPECT_EQ(sink.begun, 0);
  must_put("a", "other");
  answer = store().get(key("a"), options, sink, {});
  ASSERT_TRUE(answer) << why(answer);
  EXPECT_FALSE(answer->not_modified);
  EXPECT_EQ(sink.text, "other");
}

TEST_P(ObjectStoreContract, GetIfMatchRefusesAnotherVersion) {
  const ETag etag = must_put("a", "one");
  s3::GetOptions options;
  options.if_match = etag;
  EXPECT_EQ(test::get_text(store(), key("a"), options).value_or("?"), "one");
  must_put("a", "other");
  EXPECT_EQ(code_of(test::get_text(store(), key("a"), options)), "conflict");
  ASSERT_TRUE(store().remove(key("a"), {}, {}));
  EXPECT_EQ(code_of(test::get_text(store(), key("a"), options)), "not_found");
}

TEST_P(ObjectStoreContract, TheSinksErrorEndsTheTransfer) {
  must_put("a", pattern(300000));
  class Full final : public s3::GetSink {
    Result<void> begin(const s3::GetAnswer&) override { return {}; }
    Result<void> accept(std::span<const std::byte>) override { return fail(Errc::no_space, "the disk is full"); }
  } sink;
  EXPECT_EQ(code_of(store().get(key("a"), {}, sink, {})), "no_space");
}

TEST_P(ObjectStoreContract, RemovingTwiceSucceeds) {
  must_put("a", "x");
  EXPECT_EQ(code_of(store().remove(key("a"), {}, {})), "");
  EXPECT_FALSE(exists("a"));
  EXPECT_EQ(code_of(store().remove(key("a"), {}, {})), "");
}

TEST_P(ObjectStoreContract, RemoveManyTellsOfEachKey) {
  std::vector<s3::RemoveTarget> targets;
  std::set<Key> keys;
  for (const char* name : {"a", "b & <c>", "d\"e'", "missing"}) {
    targets.push_back({key(name)});
    keys.insert(key(name));
    if (targets.size() < 4) {
      must_put(name, "x");
    }
  }
  must_put("stays", "x");
  const auto outcomes = store().remove_many(targets, {});
  ASSERT_TRUE(outcomes) << why(outcomes);
  ASSERT_EQ(outcomes->size(), 4U);
  std::set<Key> told;
  for (const s3::DeleteOutcome& outcome : *outcomes) {
    EXPECT_FALSE(outcome.error) << describe(*outcome.error);
    told.insert(outcome.key);
  }
  EXPECT_EQ(told, keys);
  s3::ListOptions options;
  options.prefix = prefix();
  EXPECT_THAT(names_below(list_all(options)), testing::ElementsAre("stays"));
  const std::vector<s3::RemoveTarget> none;
  const auto nothing = store().remove_many(none, {});
  ASSERT_TRUE(nothing) << why(nothing);
  EXPECT_THAT(*nothing, IsEmpty());
}

TEST_P(ObjectStoreContract, RemoveManySparesWhatHasChanged) {
  std::vector<s3::RemoveTarget> targets;
  for (const char* name : {"same", "changed"}) {
    must_put(name, "x");
    targets.push_back({key(name), store().head(key(name), {})->etag});
  }
  must_put("changed", "another");
  const auto outcomes = store().remove_many(targets, {});
  ASSERT_TRUE(outcomes) << why(outcomes);
  for (const s3::DeleteOutcome& outcome : *outcomes) {
    EXPECT_EQ(outcome.error ? std::string(to_string(outcome.error->code)) : "", outcome.key == key("changed") ? "conflict" : "");
  }
  EXPECT_FALSE(exists("same"));
  EXPECT_TRUE(exists("changed"));
}

TEST_P(ObjectStoreContract, RemoveManyTakesAConditionThatCostsNothing) {
  must_put("same", "x");
  must_put("other", "x");
  const ETag version = store().head(key("same"), {})->etag;
  const auto outcomes = store().remove_many(std::vector<s3::RemoveTarget>{{key("same"), version, true}, {key("other")}}, {});
  ASSERT_TRUE(outcomes) << why(outcomes);
  for (const s3::DeleteOutcome& outcome : *outcomes) {
    EXPECT_FALSE(outcome.error) << describe(*outcome.error);
  }
  EXPECT_FALSE(exists("same"));
  EXPECT_FALSE(exists("other"));
}

TEST_P(ObjectStoreContract, OddKeysAreKeptAsTheyAre) {
  const std::vector<std::string> names{
      "with space",       "plus+sign", "per%20cent",    "q?a=b&c#d",
      "semi;colon,comma", "quote'\"",  "$:@!*()[]~^`|", "\xC3\xBCml\xC3\xA4ut \xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x98\x80",
      "back\\slash",      "UPPER.Case"};
  expect_kept(names);
}

TEST_P(ObjectStoreContract, KeysThatAreNoPathsAreKeptAsTheyAre) {
  SKIP_IF_LACKING("odd_keys");
  const std::vector<std::string> names{"double//slash", "dot/./s", "dots/../up", "a", "a/b"};
  expect_kept(names);
}

TEST_P(ObjectStoreContract, ControlCharactersAreKeptAsTheyAre) {
  SKIP_IF_LACKING("control_characters");
  expect_kept({"tab\there", "line\nbreak", "return\rhere", "bell\x01"});
}

TEST_P(ObjectStoreContract, AKeyHasAtMost1024Bytes) {
  std::string name;
  while (prefix().size() + name.size() < kKeyBytesMax) {
    name += name.size() % 100 == 99 ? '/' : 'k';
  }
  name.back() = 'z';
  if (!lacks("long_keys")) {
    must_put(name, "long");
    EXPECT_EQ(must_get(name), "long");
  }
  EXPECT_EQ(code_of(test::put_text(store(), key(name + "x"), "x")), "name_too_long");
  EXPECT_EQ(code_of(store().head(key(name + "x"), {})), "name_too_long");
}

TEST_P(ObjectStoreContract, AnEmptyKeyIsInvalid) {
  EXPECT_EQ(code_of(test::put_text(store(), Key(), "x")), "invalid");
  EXPECT_EQ(code_of(store().head(Key(), {})), "invalid");
  EXPECT_EQ(code_of(store().remove(Key(), {}, {})), "invalid");
}

TEST_P(ObjectStoreContract, ACancelledOrLateCallEnds) {
  must_put("a", "x");
  std::stop_source stop;
  stop.request_stop();
  CallContext cancelled;
  cancelled.cancel = stop.get_token();
  EXPECT_EQ(code_of(store().head(key("a"), cancelled)), "cancelled");
  CallContext late;
  late.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  EXPECT_EQ(code_of(store().head(key("a"), late)), "timeout");
}

}  // namespace prefixfs::contract
