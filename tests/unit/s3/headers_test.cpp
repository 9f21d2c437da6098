#include "headers.h"

#include <gtest/gtest.h>

#include "prefixfs/base/time_format.h"
#include "support/store_calls.h"

namespace prefixfs::s3 {

using test::code_of;

namespace {

std::string joined(const Result<Headers>& headers) {
  if (!headers) {
    return code_of(headers);
  }
  std::string text;
  for (const http::Header& header : *headers) {
    text += header.name + ":" + header.value + "|";
  }
  return text;
}

std::string with_metadata(const std::string& name, const std::string& value) {
  ObjectHeaders headers;
  headers.user_metadata[name] = value;
  return joined(describe_object(headers));
}

}  // namespace

TEST(Headers, DescribeAnObject) {
  ObjectHeaders headers;
  headers.content_type = "text/plain";
  headers.expires = "Fri, 24 May 2013 00:00:00 GMT";
  headers.user_metadata = {{"a", "1"}, {"b_c.d-e", ""}};
  EXPECT_EQ(joined(describe_object(headers)),
            "content-type:text/plain|expires:Fri, 24 May 2013 00:00:00 GMT|x-amz-meta-a:1|x-amz-meta-b_c.d-e:|");
  EXPECT_EQ(joined(describe_object({})), "");
}

TEST(Headers, RefuseWhatHttpWouldChange) {
  for (const char* value : {"caf\xC3\xA9", "a\nb", "a\r\nx-amz-acl: public-read", " a", "a ", "\x7f"}) {
    EXPECT_EQ(with_metadata("n", value), "invalid") << value;
  }
  for (const char* name : {"", "Upper", "with space", "colon:", "\xC3\xA9"}) {
    EXPECT_EQ(with_metadata(name, "v"), "invalid") << name;
  }
  ObjectHeaders headers;
  headers.content_type = "text/plain\r\nx-amz-acl: public-read";
  EXPECT_EQ(joined(describe_object(headers)), "invalid");
}

TEST(Headers, MetadataHasALimit) {
  EXPECT_NE(with_metadata("name", std::string(kUserMetadataBytesMax - 4, 'x')), "too_large");
  EXPECT_EQ(with_metadata("name", std::string(kUserMetadataBytesMax - 3, 'x')), "too_large");
}

TEST(Headers, EncryptionAndStorageClass) {
  EXPECT_EQ(joined(storage_headers("AES256", "")), "x-amz-server-side-encryption:AES256|");
  EXPECT_EQ(joined(storage_headers("none", "GLACIER_IR")), "x-amz-storage-class:GLACIER_IR|");
  EXPECT_EQ(joined(storage_headers("", "")), "x-amz-server-side-encryption:AES256|");
  EXPECT_EQ(joined(storage_headers("aws:kms", "")), "x-amz-server-side-encryption:aws:kms|");
  EXPECT_EQ(joined(storage_headers("aws:kms:arn:aws:kms:eu-west-1:1:key/k", "")),
            "x-amz-server-side-encryption:aws:kms|x-amz-server-side-encryption-aws-kms-key-id:arn:aws:kms:eu-west-1:1:key/k|");
  EXPECT_EQ(joined(storage_headers("aws:kms:dsse", "")), "x-amz-server-side-encryption:aws:kms:dsse|");
  EXPECT_EQ(joined(storage_headers("aes", "")), "invalid");
  EXPECT_EQ(joined(storage_headers("aws:kmsx", "")), "invalid");
}

TEST(Headers, ARewriteKeepsWhatTheObjectHadUnlessTheOptionsSay) {
  ObjectInfo info;
  info.storage_class = "INTELLIGENT_TIERING";
  info.sse = "aws:kms";
  info.sse_key_id = "arn:k";
  info.bucket_key = true;
  const StorageChoice own = storage_of(info);
  EXPECT_EQ(joined(storage_headers("", "", own)),
            "x-amz-server-side-encryption:aws:kms|x-amz-server-side-encryption-aws-kms-key-id:arn:k|"
            "x-amz-server-side-encryption-bucket-key-enabled:true|x-amz-storage-class:INTELLIGENT_TIERING|");
  EXPECT_EQ(joined(storage_headers("AES256", "STANDARD_IA", own)), "x-amz-server-side-encryption:AES256|x-amz-storage-class:STANDARD_IA|");
  info.storage_class = "GLACIER";
  info.sse = "AES256";
  EXPECT_EQ(joined(storage_headers("", "", storage_of(info))), "x-amz-server-side-encryption:AES256|") << "an archive cannot be read";
}

TEST(Headers, WhatWasWrittenIsWhatTheNextRewriteKeeps) {
  const ObjectHeaders headers{.content_type = "a/b", .cache_control = "c", .content_disposition = "d", .content_encoding = "e",
                              .content_language = "f", .expires = "g", .user_metadata = {{"h", "i"}},
                              .storage = {.storage_class = "STANDARD_IA", .sse = "aws:kms", .sse_key_id = "k", .bucket_key = true},
                              .tagging = "x=1&y=2"};
  ObjectInfo info;
  apply_headers(headers, info);
  EXPECT_EQ(info.tag_count, 2);
  const ObjectHeaders again = headers_of(info);
  EXPECT_EQ(joined(describe_object(again)), joined(describe_object(headers)));
  EXPECT_EQ(joined(storage_headers("", "", again.storage)), joined(storage_headers("", "", headers.storage)));
  EXPECT_EQ(again.tagging, headers.tagging);
}

TEST(Headers, ReadAnObject) {
  http::Response response;
  response.status = 206;
  response.headers = {{"etag", "\"e\""},
                      {"content-range", "bytes 0-9/1000"},
                      {"content-length", "10"},
                      {"last-modified", "Fri, 20 Nov 2026 10:00:00 GMT"},
                      {"x-amz-storage-class", "STANDARD_IA"},
                      {"x-amz-meta-file-owner", "1000"},
                      {"x-amz-version-id", "v1"},
                      {"x-amz-server-side-encryption", "aws:kms"},
                      {"x-amz-tagging-count", "2"},
                      {"x-amz-checksum-crc64nvme", "rosUhgp5mIg="},
                      {"x-amz-checksum-type", "FULL_OBJECT"},
                      {"x-amz-restore", "ongoing-request=\"true\""}};
  const auto info = read_object_info(Key("k"), response);
  ASSERT_TRUE(info) << test::why(info);
  EXPECT_EQ(info->size, 1000U);
  EXPECT_EQ(info->etag.str(), "e");
  EXPECT_EQ(info->last_modified, parse_http_date("Fri, 20 Nov 2026 10:00:00 GMT"));
  EXPECT_EQ(info->storage_class, "STANDARD_IA");
  EXPECT_EQ(info->user_metadata, (UserMetadata{{"file-owner", "1000"}}));
  EXPECT_EQ(info->version_id, "v1");
  EXPECT_EQ(info->sse, "aws:kms");
  EXPECT_EQ(info->tag_count, 2);
  EXPECT_EQ(info->crc64nvme, 0xae8b14860a799888ULL);
  EXPECT_EQ(info->restore, "ongoing-request=\"true\"");
  EXPECT_TRUE(info->complete);
}

TEST(Headers, TellUntilWhenARestoredObjectCanBeRead) {
  const auto until = [](const char* restore) {
    ObjectInfo info;
    info.restore = restore;
    return restored_until(info);
  };
  EXPECT_EQ(until("ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2012 00:00:00 GMT\""), parse_http_date("Fri, 21 Dec 2012 00:00:00 GMT"));
  for (const char* none : {"", "ongoing-request=\"true\"", "expiry-date=\"", "expiry-date=\"soon\"", "expiry-date=\"Fri, 21 Dec 2012"}) {
    EXPECT_EQ(until(none), std::nullopt) << none;
  }
}

TEST(Headers, AnAnswerWithoutETagOrLengthIsCorrupt) {
  http::Response response;
  response.status = 200;
  response.headers = {{"content-length", "3"}};
  EXPECT_EQ(code_of(read_object_info(Key("k"), response)), "corrupt");
  response.headers = {{"etag", "e"}};
  EXPECT_EQ(code_of(read_object_info(Key("k"), response)), "corrupt");
  response.headers = {{"etag", "e"}, {"content-length", "-1"}};
  EXPECT_EQ(code_of(read_object_info(Key("k"), response)), "corrupt");
  response.status = 206;
  response.headers = {{"etag", "e"}, {"content-length", "3"}};
  EXPECT_EQ(code_of(read_object_info(Key("k"), response)), "corrupt");
}

TEST(Headers, ContentRange) {
  const auto range = parse_content_range("bytes 5-9/100");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->range, (ByteRange{5, 10}));
  EXPECT_EQ(range->size, 100U);
  for (const char* text : {"", "bytes */100", "bytes 9-5/100", "bytes 0-100/100", "bytes 0-9/*", "bytes 0-9", "items 0-9/100",
                           "bytes 0-9/100x", "bytes -9/100"}) {
    EXPECT_FALSE(parse_content_range(text)) << text;
  }
}

TEST(Headers, ARewriteKeepsWhatWasThere) {
  ObjectInfo info;
  info.content_type = "a";
  info.cache_control = "b";
  info.content_disposition = "c";
  info.content_encoding = "d";
  info.content_language = "e";
  info.expires = "f";
  info.user_metadata = {{"g", "h"}};
  const ObjectHeaders headers = headers_of(info);
  EXPECT_EQ(headers.content_type + headers.cache_control + headers.content_disposition + headers.content_encoding +
                headers.content_language + headers.expires,
            "abcdef");
  EXPECT_EQ(headers.user_metadata, info.user_metadata);
}

}  // namespace prefixfs::s3
