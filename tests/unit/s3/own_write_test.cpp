#include "prefixfs/s3/own_write.h"

#include <gtest/gtest.h>

#include "prefixfs/crypto/crc64nvme.h"
#include "support/store_calls.h"

namespace prefixfs::s3 {

namespace {

Error error_of(Errc code, int status, const std::string& s3_code = {}) {
  Error error{code, "", {}};
  error.origin.http_status = status;
  error.origin.s3_code = s3_code;
  return error;
}

ObjectInfo nine_digits() {
  ObjectInfo info;
  info.size = 9;
  info.etag = ETag::from_wire("25f9e794323b453885f5181f1b624d0b");
  return info;
}

bool is_digits(const ObjectInfo& info, const ObjectHeaders& headers = {}) {
  const auto same = is_body(info, test::TextSource("123456789"), headers, {});
  EXPECT_TRUE(same);
  return same && *same;
}

}  // namespace

TEST(OwnWrite, WhatIsUnclear) {
  EXPECT_TRUE(is_unclear(error_of(Errc::unavailable, 0)));
  EXPECT_TRUE(is_unclear(error_of(Errc::timeout, 0)));
  EXPECT_TRUE(is_unclear(error_of(Errc::unavailable, 500, "InternalError")));
  EXPECT_TRUE(is_unclear(error_of(Errc::unavailable, 504)));
  EXPECT_TRUE(is_unclear(error_of(Errc::throttled, 503)));
  EXPECT_FALSE(is_unclear(error_of(Errc::throttled, 503, "SlowDown")));
  EXPECT_FALSE(is_unclear(error_of(Errc::throttled, 429)));
  EXPECT_FALSE(is_unclear(error_of(Errc::denied, 403)));
  EXPECT_FALSE(is_unclear(error_of(Errc::conflict, 412)));
  Error not_sent = error_of(Errc::unavailable, 0);
  not_sent.origin.not_sent = true;
  EXPECT_FALSE(is_unclear(not_sent));
  Error sent_twice = error_of(Errc::throttled, 503, "SlowDown");
  sent_twice.origin.sent_twice = true;
  EXPECT_TRUE(is_unclear(sent_twice)) << "the first of the two may have done the work";
}

TEST(OwnWrite, ABodyIsKnownByChecksumOrMd5) {
  ObjectInfo info = nine_digits();
  EXPECT_TRUE(is_digits(info));
  info.etag = ETag::from_wire("somethingelse");
  EXPECT_FALSE(is_digits(info));
  info.crc64nvme = 0xae8b14860a799888ULL;  // a KMS object: the ETag is no MD5
  EXPECT_TRUE(is_digits(info));
  info.crc64nvme = 1;
  EXPECT_FALSE(is_digits(info));
  info = nine_digits();
  info.size = 8;
  EXPECT_FALSE(is_digits(info));
}

TEST(OwnWrite, TheMetadataHasToBeOursToo) {
  ObjectInfo info = nine_digits();
  info.user_metadata = {{"mode", "1"}};
  EXPECT_FALSE(is_digits(info));
  ObjectHeaders headers;
  headers.user_metadata = info.user_metadata;
  EXPECT_TRUE(is_digits(info, headers));
}

TEST(OwnWrite, AnAssembledObjectIsKnownByEither) {
  std::vector<UploadedPart> parts{{1, ETag::from_wire("0cc175b9c0f1b6a831c399e269772661"), 1, std::nullopt},
                                  {2, ETag::from_wire("92eb5ffee6ae2fec3ad71c777531578f"), 1, std::nullopt}};
  EXPECT_EQ(multipart_etag(parts), "96e024ba2074fe77e8e965ba43a704be-2");
  ObjectInfo info;
  info.size = 2;
  info.etag = ETag::from_wire(multipart_etag(parts));
  EXPECT_TRUE(is_assembled(info, parts));
  info.etag = ETag::from_wire("other-2");
  EXPECT_FALSE(is_assembled(info, parts));
  const auto crc = [](std::string_view text) { return crypto::crc64nvme(0, std::as_bytes(std::span(text.data(), text.size()))); };
  parts[0].crc64nvme = crc("a");
  parts[1].crc64nvme = crc("b");
  info.crc64nvme = crc("ab");
  EXPECT_TRUE(is_assembled(info, parts));
  info.size = 3;
  EXPECT_FALSE(is_assembled(info, parts));
  parts[0].etag = ETag::from_wire("not-hex");
  EXPECT_EQ(multipart_etag(parts), "");
}

}  // namespace prefixfs::s3
