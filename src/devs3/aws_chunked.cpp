#include "aws_chunked.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "prefixfs/base/time_format.h"
#include "prefixfs/crypto/encoding.h"

namespace prefixfs::devs3 {
namespace {

constexpr std::size_t kLineBytesMax = 1024;
constexpr std::string_view kEmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::unexpected<S3Error> incomplete() {
  return refuse(400, "IncompleteBody", "The request body terminated unexpectedly or its chunks do not fit x-amz-decoded-content-length");
}

std::unexpected<S3Error> wrong_signature() {
  return refuse(403, "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided for a chunk or trailer of the body.");
}

std::string hex_of(std::string_view raw) { return crypto::hex({reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()}); }

}  // namespace

AwsChunkedBody::AwsChunkedBody(BodyStream& inner, Options options)
    : inner_(inner), options_(std::move(options)), previous_signature_(options_.authentication.signature) {}

Outcome<std::size_t> AwsChunkedBody::read(std::span<std::byte> out) {
  std::size_t filled = 0;
  while (filled < out.size() && !finished_) {
    if (chunk_left_ == 0) {
      S3_TRY(begin_chunk());
      continue;
    }
    const auto wanted = out.subspan(filled, std::min<std::uint64_t>(out.size() - filled, chunk_left_));
    S3_TRY_ASSIGN(const auto got, inner_.read(wanted));
    if (got < wanted.size()) {
      return incomplete();
    }
    if (chunk_hash_) {
      chunk_hash_->update(wanted);
    }
    filled += got;
    decoded_ += got;
    chunk_left_ -= got;
    if (chunk_left_ == 0) {
      S3_TRY(end_chunk());
    }
  }
  return filled;
}

Outcome<void> AwsChunkedBody::begin_chunk() {
  S3_TRY_ASSIGN(const auto line, read_line());
  const auto semicolon = line.find(';');
  const auto digits = std::string_view(line).substr(0, semicolon);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), chunk_left_, 16);
  if (error != std::errc{} || end != digits.data() + digits.size() || chunk_left_ > options_.decoded_length - decoded_) {
    return incomplete();
  }
  constexpr std::string_view kExtension = "chunk-signature=";
  chunk_signature_.clear();
  if (semicolon != std::string::npos && std::string_view(line).substr(semicolon + 1).starts_with(kExtension)) {
    chunk_signature_ = line.substr(semicolon + 1 + kExtension.size());
  }
  if (chunk_left_ > 0) {
    if (!options_.key.empty()) {
      chunk_hash_.emplace(crypto::Hasher::Kind::sha256);
    }
    return {};
  }
  S3_TRY(check_chunk(std::string(kEmptySha256)));
  S3_TRY(read_trailers());
  finished_ = true;
  return decoded_ == options_.decoded_length ? Outcome<void>() : incomplete();
}

Outcome<void> AwsChunkedBody::end_chunk() {
  S3_TRY(expect_line_end());
  return check_chunk(chunk_hash_ ? hex_of(chunk_hash_->finish()) : std::string());
}

Outcome<void> AwsChunkedBody::check_chunk(const std::string& data_hash) {
  if (options_.key.empty()) {
    return {};
  }
  const auto expected = sign("AWS4-HMAC-SHA256-PAYLOAD", fmt::format("{}\n{}", kEmptySha256, data_hash));
  if (!crypto::equal_secret(expected, chunk_signature_)) {
    return wrong_signature();
  }
  previous_signature_ = chunk_signature_;
  return {};
}

Outcome<void> AwsChunkedBody::read_trailers() {
  std::string canonical;
  std::string signature;
  for (;;) {
    S3_TRY_ASSIGN(const auto line, read_line());
    if (line.empty()) {
      break;
    }
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    const auto value = colon == std::string::npos ? std::string() : line.substr(colon + 1);
    if (name == "x-amz-trailer-signature") {
      signature = value;
      continue;
    }
    if (colon == std::string::npos || name != options_.trailer || trailer_value_) {
      return refuse(400, "MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our "
                                                  "published schema.");
    }
    trailer_value_ = value;
    canonical += fmt::format("{}:{}\n", name, value);
  }
  if (!options_.trailer.empty() && !trailer_value_) {
    return refuse(400, "MalformedTrailerError", "The announced trailer is missing.");
  }
  if (!options_.key.empty() && !options_.trailer.empty()) {
    const auto hash = crypto::hex(crypto::sha256(canonical));
    return crypto::equal_secret(sign("AWS4-HMAC-SHA256-TRAILER", hash), signature) ? Outcome<void>() : wrong_signature();
  }
  return {};
}

Outcome<std::string> AwsChunkedBody::read_line() {
  std::string line;
  std::array<std::byte, 1> one;
  while (line.size() < kLineBytesMax) {
    S3_TRY_ASSIGN(const auto got, inner_.read(one));
    if (got == 0) {
      // The last empty line may be missing: the body ends with its Content-Length.
      return chunk_left_ == 0 && line.empty() ? Outcome<std::string>(line) : incomplete();
    }
    line += static_cast<char>(one[0]);
    if (line.ends_with("\r\n")) {
      return line.substr(0, line.size() - 2);
    }
  }
  return incomplete();
}

Outcome<void> AwsChunkedBody::expect_line_end() {
  S3_TRY_ASSIGN(const auto line, read_line());
  return line.empty() ? Outcome<void>() : incomplete();
}

std::string AwsChunkedBody::sign(std::string_view kind, std::string_view hashes) const {
  const auto& from = options_.authentication;
  const auto text = fmt::format("{}\n{}\n{}/{}/s3/aws4_request\n{}\n{}", kind, format_iso8601_basic(from.time), from.date, from.region,
                                previous_signature_, hashes);
  return crypto::hex(crypto::hmac_sha256(options_.key, text));
}

}  // namespace prefixfs::devs3
