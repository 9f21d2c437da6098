// Against the worked example of the S3 API Reference, "Transferring payload in multiple chunks (chunked upload)".
#include "aws_chunked.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "prefixfs/base/time_format.h"

namespace prefixfs::devs3 {
namespace {

class Text final : public BodyStream {
 public:
  explicit Text(std::string text) : text_(std::move(text)) {}
  Outcome<std::size_t> read(std::span<std::byte> out) override {
    const auto count = std::min(out.size(), text_.size() - position_);
    std::memcpy(out.data(), text_.data() + position_, count);
    position_ += count;
    return count;
  }

 private:
  std::string text_;
  std::size_t position_ = 0;
};

AwsChunkedBody::Options example() {
  AwsChunkedBody::Options options;
  options.decoded_length = 66560;
  options.authentication.date = "20130524";
  options.authentication.region = "us-east-1";
  options.authentication.time = *parse_iso8601_basic("20130524T000000Z");
  options.authentication.signature = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
  options.key = signing_key(options.authentication, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
  return options;
}

std::string example_body() {
  return "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" + std::string(65536, 'a') +
         "\r\n400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + std::string(1024, 'a') +
         "\r\n0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
}

Outcome<std::string> read_all(AwsChunkedBody& body) {
  std::string out(100'000, '\0');
  S3_TRY_ASSIGN(const auto got, body.read(std::as_writable_bytes(std::span(out))));
  out.resize(got);
  return out;
}

TEST(AwsChunked, PublishedExample) {
  Text inner(example_body());
  AwsChunkedBody body(inner, example());
  const auto read = read_all(body);
  ASSERT_TRUE(read) << read.error().code;
  EXPECT_EQ(*read, std::string(66560, 'a'));
}

TEST(AwsChunked, AChangedByteOrSignatureIsRefused) {
  for (const std::size_t position : {100u, 66'000u, 30u, 66'760u}) {
    auto text = example_body();
    text[position] = text[position] == 'b' ? 'c' : 'b';
    Text inner(text);
    AwsChunkedBody body(inner, example());
    EXPECT_FALSE(read_all(body)) << position;
  }
}

AwsChunkedBody::Options plain(std::uint64_t length, std::string trailer) {
  AwsChunkedBody::Options options;
  options.decoded_length = length;
  options.trailer = std::move(trailer);
  return options;
}

TEST(AwsChunked, UnsignedWithTrailer) {
  Text inner("5\r\nhello\r\n1\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n");
  AwsChunkedBody body(inner, plain(6, "x-amz-checksum-crc32"));
  EXPECT_EQ(*read_all(body), "hello!");
  EXPECT_EQ(body.trailer(), "AAAAAA==");
}

TEST(AwsChunked, WrongFraming) {
  const auto code = [](std::string text, std::uint64_t length, std::string trailer) {
    Text inner(std::move(text));
    AwsChunkedBody body(inner, plain(length, std::move(trailer)));
    const auto read = read_all(body);
    return read ? std::string("accepted") : read.error().code;
  };
  EXPECT_EQ(code("5\r\nhello\r\n0\r\n\r\n", 5, ""), "accepted");
  EXPECT_EQ(code("5\r\nhello\r\n0\r\n\r\n", 6, ""), "IncompleteBody");
  EXPECT_EQ(code("5\r\nhello\r\n0\r\n\r\n", 4, ""), "IncompleteBody");
  EXPECT_EQ(code("5\r\nhel", 5, ""), "IncompleteBody");
  EXPECT_EQ(code("5\r\nhelloX\r\n0\r\n\r\n", 5, ""), "IncompleteBody");
  EXPECT_EQ(code("zz\r\n", 5, ""), "IncompleteBody");
  EXPECT_EQ(code("0\r\n\r\n", 0, "x-amz-checksum-crc32"), "MalformedTrailerError");
  EXPECT_EQ(code("0\r\nx-other:1\r\n\r\n", 0, "x-amz-checksum-crc32"), "MalformedTrailerError");
}

}  // namespace
}  // namespace prefixfs::devs3
