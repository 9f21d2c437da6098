#include "prefixfs/aws/sigv4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace prefixfs::aws {
namespace {

using std::chrono::sys_days;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kEmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// The keys, requests and signatures are AWS's own, from "Signature Calculations for the Authorization Header: Transferring Payload
// in a Single Chunk" of the Amazon S3 API Reference.
Credentials example_keys() {
  return {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "", std::nullopt, "test"};
}
const WallTime kExampleTime = sys_days(std::chrono::May / 24 / 2013);

SignableRequest example_request(const std::string& method, const std::string& path) {
  return {method, "examplebucket.s3.amazonaws.com", path, {}, {}, std::string(kEmptySha256)};
}

std::string header_of(const std::vector<http::Header>& headers, std::string_view name) {
  for (const http::Header& header : headers) {
    if (header.name == name) {
      return header.value;
    }
  }
  return "(absent)";
}

std::string authorization(const SignableRequest& request, const Credentials& credentials = example_keys()) {
  return header_of(sign(request, credentials, {"us-east-1"}, kExampleTime), "authorization");
}

std::string signature(const SignableRequest& request) {
  const std::string text = authorization(request);
  return text.substr(text.find("Signature=") + 10);
}

TEST(SigV4, GetObjectWithRange) {
  SignableRequest request = example_request("GET", "/test.txt");
  request.headers = {{"Range", "bytes=0-9"}};
  EXPECT_EQ(authorization(request),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4, PutObject) {
  SignableRequest request = example_request("PUT", "/test%24file.text");
  request.headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
  request.payload_sha256 = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
  EXPECT_EQ(signature(request), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(SigV4, GetBucketLifecycle) {
  SignableRequest request = example_request("GET", "/");
  request.query = {{"lifecycle", ""}};
  EXPECT_EQ(signature(request), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST(SigV4, ListObjects) {
  SignableRequest request = example_request("GET", "/");
  request.query = {{"prefix", "J"}, {"max-keys", "2"}};  // the signer sorts
  EXPECT_EQ(signature(request), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SigV4, AddsTheHeadersThatItSigned) {
  const auto headers = sign(example_request("GET", "/"), example_keys(), {"us-east-1"}, kExampleTime);
  EXPECT_EQ(header_of(headers, "x-amz-date"), "20130524T000000Z");
  EXPECT_EQ(header_of(headers, "x-amz-content-sha256"), kEmptySha256);
  EXPECT_EQ(header_of(headers, "x-amz-security-token"), "(absent)");
  EXPECT_EQ(header_of(headers, "host"), "(absent)");
  EXPECT_EQ(headers.size(), 3U);
}

TEST(SigV4, SignsTheSessionToken) {
  Credentials credentials = example_keys();
  credentials.session_token = "token+/=";
  const auto headers = sign(example_request("GET", "/"), credentials, {"us-east-1"}, kExampleTime);
  EXPECT_EQ(header_of(headers, "x-amz-security-token"), "token+/=");
  EXPECT_THAT(header_of(headers, "authorization"), HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"));
}

TEST(SigV4, TheSecretIsNowhereInTheHeaders) {
  for (const http::Header& header : sign(example_request("GET", "/"), example_keys(), {"us-east-1"}, kExampleTime)) {
    EXPECT_THAT(header.value, Not(HasSubstr("wJalrXUtnFEMI")));
  }
}

TEST(SigV4, HeaderNamesAreLoweredAndBlanksFolded) {
  SignableRequest plain = example_request("PUT", "/a");
  plain.headers = {{"x-amz-meta-note", "two words"}};
  SignableRequest odd = example_request("PUT", "/a");
  odd.headers = {{"X-Amz-Meta-Note", "  two \t  words "}};
  EXPECT_EQ(signature(plain), signature(odd));
}

TEST(SigV4, HeadersOfTheSameNameAreJoined) {
  SignableRequest two = example_request("PUT", "/a");
  two.headers = {{"x-amz-meta-a", "1"}, {"X-Amz-Meta-A", "2"}};
  SignableRequest joined = example_request("PUT", "/a");
  joined.headers = {{"x-amz-meta-a", "1,2"}};
  EXPECT_EQ(signature(two), signature(joined));
}

TEST(SigV4, StaleSignerHeadersOfTheRequestDoNotCount) {
  SignableRequest request = example_request("GET", "/a");
  request.headers = {{"Host", "other"}, {"X-Amz-Date", "19700101T000000Z"}, {"Authorization", "old"}};
  EXPECT_EQ(signature(request), signature(example_request("GET", "/a")));
}

TEST(SigV4, RegionServiceAndTimeChangeTheSignature) {
  const SignableRequest request = example_request("GET", "/a");
  const auto with = [&](const SigningScope& scope, WallTime time) {
    return header_of(sign(request, example_keys(), scope, time), "authorization");
  };
  const std::string base = with({"us-east-1"}, kExampleTime);
  EXPECT_NE(base, with({"eu-west-1"}, kExampleTime));
  EXPECT_NE(base, with({"us-east-1", "sts"}, kExampleTime));
  EXPECT_NE(base, with({"us-east-1"}, kExampleTime + std::chrono::seconds(1)));
  EXPECT_THAT(with({"eu-west-1", "sts"}, kExampleTime), HasSubstr("/20130524/eu-west-1/sts/aws4_request,"));
}

TEST(CanonicalQuery, EncodesAndSorts) {
  EXPECT_EQ(canonical_query({}), "");
  EXPECT_EQ(canonical_query({{"uploads", ""}}), "uploads=");
  EXPECT_EQ(canonical_query({{"prefix", "a b/ü+&="}, {"delimiter", "/"}}), "delimiter=%2F&prefix=a%20b%2F%C3%BC%2B%26%3D");
}

TEST(CanonicalQuery, SortsByEncodedNameThenValue) {
  EXPECT_EQ(canonical_query({{"b", "2"}, {"b", "1"}, {"B", "3"}, {"a-", "4"}, {"a", "5"}}), "B=3&a=5&a-=4&b=1&b=2");
  // As encoded: "%C3..." comes before "z", the raw byte 0xC3 would come after it.
  EXPECT_EQ(canonical_query({{"z", "1"}, {"ü", "2"}}), "%C3%BC=2&z=1");
}

}  // namespace
}  // namespace prefixfs::aws
