#include <gmock/gmock.h>

#include "object_store_contract.h"
#include "prefixfs/crypto/crc64nvme.h"

namespace prefixfs::contract {

using s3::UploadedPart;
using s3::WriteCondition;
using test::code_of;
using test::TextSource;
using test::why;

class Multipart : public ObjectStoreContract {
 protected:
  s3::UploadId must_create(const std::string& name, const s3::ObjectHeaders& headers = {}) {
    const auto id = store().create_upload(key(name), headers, {});
    EXPECT_TRUE(id) << why(id);
    return id.value_or("");
  }
  UploadedPart must_send(const std::string& name, const s3::UploadId& id, int number, const std::string& text) {
    const auto part = store().upload_part(key(name), id, number, TextSource(text), {});
    EXPECT_TRUE(part) << why(part);
    return part.value_or(UploadedPart{});
  }
  static std::string block(char c) { return std::string(s3::kPartBytesMin, c); }
};

TEST_P(Multipart, PartsBecomeOneObject) {
  s3::ObjectHeaders headers;
  headers.content_type = "video/mp4";
  headers.user_metadata = {{"file-owner", "7"}};
  const auto id = must_create("a", headers);
  std::vector<UploadedPart> parts;
  parts.push_back(must_send("a", id, 2, "the tail"));
  parts.insert(parts.begin(), must_send("a", id, 1, block('x')));
  EXPECT_EQ(parts[0].size, s3::kPartBytesMin);
  EXPECT_EQ(parts[1].number, 2);
  EXPECT_FALSE(exists("a"));
  const auto answer = store().complete_upload(key("a"), id, parts, WriteCondition::none(), {});
  ASSERT_TRUE(answer) << why(answer);
  const std::string whole = block('x') + "the tail";
  EXPECT_TRUE(must_get("a") == whole);
  const auto info = store().head(key("a"), {});
  ASSERT_TRUE(info) << why(info);
  EXPECT_EQ(info->etag, answer->etag);
  EXPECT_EQ(info->size, whole.size());
  EXPECT_EQ(info->content_type, "video/mp4");
  EXPECT_EQ(info->user_metadata, headers.user_metadata);
  if (!lacks("multipart_checksum")) {
    EXPECT_EQ(answer->crc64nvme, crypto::crc64nvme(0, std::as_bytes(std::span(whole.data(), whole.size()))));
    EXPECT_EQ(info->crc64nvme, answer->crc64nvme);
  }
}

TEST_P(Multipart, APartSentAgainIsReplaced) {
  const auto id = must_create("a");
  must_send("a", id, 1, "old");
  const UploadedPart part = must_send("a", id, 1, "new one");
  const auto answer = store().complete_upload(key("a"), id, std::vector{part}, WriteCondition::none(), {});
  ASSERT_TRUE(answer) << why(answer);
  EXPECT_EQ(must_get("a"), "new one");
}

TEST_P(Multipart, PartNumbersAreChecked) {
  const auto id = must_create("a");
  EXPECT_EQ(code_of(store().upload_part(key("a"), id, 0, TextSource("x"), {})), "invalid");
  EXPECT_EQ(code_of(store().upload_part(key("a"), id, s3::kPartsMax + 1, TextSource("x"), {})), "invalid");
}

TEST_P(Multipart, WrongPartListsAreRefused) {
  const auto id = must_create("a");
  const UploadedPart one = must_send("a", id, 1, block('1'));
  const UploadedPart two = must_send("a", id, 2, "2");
  const auto complete = [&](const std::vector<UploadedPart>& parts) {
    return code_of(store().complete_upload(key("a"), id, parts, WriteCondition::none(), {}));
  };
  EXPECT_EQ(complete({}), "invalid");
  EXPECT_EQ(complete({two, one}), "invalid");
  EXPECT_EQ(complete({one, one}), "invalid");
  UploadedPart foreign = two;
  foreign.etag = ETag::from_wire("00000000000000000000000000000000");
  EXPECT_EQ(complete({one, foreign}), "invalid");
  EXPECT_FALSE(exists("a"));
  EXPECT_EQ(complete({one, two}), "");
}

TEST_P(Multipart, OnlyTheLastPartMayBeSmall) {
  SKIP_IF_LACKING("part_size_check");
  const auto id = must_create("a");
  const UploadedPart one = must_send("a", id, 1, "small");
  const UploadedPart two = must_send("a", id, 2, "2");
  const auto answer = store().complete_upload(key("a"), id, std::vector{one, two}, WriteCondition::none(), {});
  EXPECT_EQ(code_of(answer), "invalid") << why(answer);
  EXPECT_FALSE(exists("a"));
}

TEST_P(Multipart, AnUploadThatIsGoneIsNotFound) {
  SKIP_IF_LACKING("upload_check");
  const auto id = must_create("a");
  const UploadedPart part = must_send("a", id, 1, "x");
  EXPECT_EQ(code_of(store().abort_upload(key("a"), id, {})), "");
  EXPECT_EQ(code_of(store().abort_upload(key("a"), id, {})), "");
  const auto sent = store().upload_part(key("a"), id, 2, TextSource("x"), {});
  EXPECT_EQ(code_of(sent), "not_found") << why(sent);
  const auto completed = store().complete_upload(key("a"), id, std::vector{part}, WriteCondition::none(), {});
  EXPECT_EQ(code_of(completed), "not_found") << why(completed);
  EXPECT_FALSE(exists("a"));
}

TEST_P(Multipart, OpenUploadsAreListed) {
  SKIP_IF_LACKING("list_uploads");
  const auto first = must_create("a b+c");
  const auto second = must_create("b");
  const auto uploads = store().list_uploads(prefix(), {});
  ASSERT_TRUE(uploads) << why(uploads);
  std::map<std::string, std::string> found;
  for (const s3::OpenUpload& upload : *uploads) {
    found[upload.key.str()] = upload.id;
  }
  EXPECT_EQ(found, (std::map<std::string, std::string>{{key("a b+c").str(), first}, {key("b").str(), second}}));
  ASSERT_TRUE(store().abort_upload(key("b"), second, {}));
  const auto left = store().list_uploads(prefix(), {});
  ASSERT_TRUE(left) << why(left);
  EXPECT_EQ(left->size(), 1U);
}

TEST_P(Multipart, CompletingHoldsTheCondition) {
  const ETag old = must_put("a", "somebody else's");
  const auto id = must_create("a");
  const std::vector<UploadedPart> parts{must_send("a", id, 1, "mine")};
  EXPECT_EQ(code_of(store().complete_upload(key("a"), id, parts, WriteCondition::if_absent(), {})), "conflict");
  EXPECT_EQ(must_get("a"), "somebody else's");
  EXPECT_EQ(code_of(store().complete_upload(key("a"), id, parts, WriteCondition::if_match(ETag::from_wire("0123")), {})), "conflict");
  EXPECT_EQ(must_get("a"), "somebody else's");
  const auto answer = store().complete_upload(key("a"), id, parts, WriteCondition::if_match(old), {});
  ASSERT_TRUE(answer) << why(answer);
  EXPECT_EQ(must_get("a"), "mine");
}

TEST_P(Multipart, ARangeOfAnObjectCanBeAPart) {
  SKIP_IF_LACKING("part_copy");
  const std::string text = "head" + block('m') + "tail";
  const ETag etag = must_put("from", text);
  const auto id = must_create("to");
  std::vector<UploadedPart> parts;
  const auto copied = store().upload_part_copy(key("to"), id, 1, {key("from"), etag}, {0, 4 + s3::kPartBytesMin}, {});
  ASSERT_TRUE(copied) << why(copied);
  EXPECT_EQ(copied->size, 4 + s3::kPartBytesMin);
  parts.push_back(*copied);
  parts.push_back(must_send("to", id, 2, "END"));
  const auto answer = store().complete_upload(key("to"), id, parts, WriteCondition::none(), {});
  ASSERT_TRUE(answer) << why(answer);
  EXPECT_TRUE(must_get("to") == "head" + block('m') + "END");
}

TEST_P(Multipart, APartOfAnotherVersionIsAConflict) {
  SKIP_IF_LACKING("part_copy");
  SKIP_IF_LACKING("copy_source_condition");
  const ETag old = must_put("from", "first");
  must_put("from", "second");
  const auto id = must_create("to");
  EXPECT_EQ(code_of(store().upload_part_copy(key("to"), id, 1, {key("from"), old}, {0, 5}, {})), "conflict");
  EXPECT_EQ(code_of(store().upload_part_copy(key("to"), id, 1, {key("missing"), {}}, {0, 5}, {})), "not_found");
}

INSTANTIATE_TEST_SUITE_P(Stores, Multipart, testing::ValuesIn(targets()), test_suffix);

}  // namespace prefixfs::contract
