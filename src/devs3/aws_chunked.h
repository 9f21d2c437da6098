#pragma once
// The aws-chunked transfer: a body in chunks, each signed or followed by a trailer with its checksum.
// Source: S3 API Reference, "Signature calculations for the authorization header: transferring payload in multiple chunks" and
// "Including trailing headers (chunked upload)".

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connection.h"
#include "prefixfs/crypto/hash.h"
#include "sigv4_check.h"

namespace prefixfs::devs3 {

/// Takes the chunks off. Refuses with IncompleteBody where the framing or the decoded length is wrong, SignatureDoesNotMatch for a wrong
/// chunk or trailer signature, MalformedTrailerError.
class AwsChunkedBody final : public BodyStream {
 public:
  struct Options {
    std::uint64_t decoded_length = 0;     ///< x-amz-decoded-content-length
    std::string trailer;                  ///< x-amz-trailer, empty: none
    std::vector<std::uint8_t> key;        ///< empty: chunks are not signed
    Authentication authentication;        ///< its signature is the seed of the chunks'
  };
  AwsChunkedBody(BodyStream& inner, Options options);

  Outcome<std::size_t> read(std::span<std::byte> out) override;
  /// The value of the announced trailer; after the end of the body.
  const std::optional<std::string>& trailer() const { return trailer_value_; }

 private:
  Outcome<void> begin_chunk();
  Outcome<void> end_chunk();
  Outcome<void> read_trailers();
  Outcome<std::string> read_line();
  Outcome<void> expect_line_end();
  Outcome<void> check_chunk(const std::string& data_hash);
  std::string sign(std::string_view kind, std::string_view hashes) const;

  BodyStream& inner_;
  Options options_;
  std::string previous_signature_;
  std::string chunk_signature_;
  std::optional<crypto::Hasher> chunk_hash_;
  std::uint64_t chunk_left_ = 0;
  std::uint64_t decoded_ = 0;
  bool finished_ = false;
  std::optional<std::string> trailer_value_;
};

}  // namespace prefixfs::devs3
