#include "body_intake.h"

#include <charconv>
#include <memory>

#include "aws_chunked.h"
#include "digests.h"

namespace prefixfs::devs3 {
namespace {

constexpr std::uint64_t kBodyBytesMax = 5ULL << 30;  // S3 User Guide, "Amazon S3 multipart upload limits": 5 GiB for a PUT or a part
constexpr std::size_t kTextBytesMax = 8 << 20;
constexpr std::size_t kBlockBytes = 256 * 1024;

std::optional<std::uint64_t> number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (!text) {
    return std::nullopt;
  }
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  return error == std::errc{} && end == text->data() + text->size() ? std::optional(value) : std::nullopt;
}

/// The body without its transfer coding, and its length.
struct Source {
  BodyStream* stream = nullptr;
  std::unique_ptr<AwsChunkedBody> chunked;
  std::uint64_t length = 0;
};

Outcome<Source> open_chunked(const Request& request) {
  const auto& payload = request.authentication.payload;
  const auto length = number(request.http.headers.find("x-amz-decoded-content-length"));
  if (!length) {
    return refuse(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
  }
  AwsChunkedBody::Options options{*length, request.header("x-amz-trailer"), {}, request.authentication};
  const bool with_trailer = payload.ends_with("-TRAILER");
  if (with_trailer == options.trailer.empty()) {
    return refuse(400, "MalformedTrailerError", "x-amz-trailer and x-amz-content-sha256 do not fit together.");
  }
  if (payload.starts_with("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")) {
    options.key = signing_key(request.authentication, request.who->secret);
  } else if (payload != "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    return not_implemented("x-amz-content-sha256", "This way of signing a body is not implemented");
  }
  Source source;
  source.chunked = std::make_unique<AwsChunkedBody>(*request.body, std::move(options));
  source.stream = source.chunked.get();
  source.length = *length;
  return source;
}

Outcome<Source> open_source(const Request& request) {
  if (request.http.headers.has("transfer-encoding")) {
    return not_implemented("Transfer-Encoding", "A header you provided implies functionality that is not implemented");
  }
  if (!request.http.content_length) {
    return refuse(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
  }
  if (request.authentication.payload.starts_with("STREAMING-")) {
    return open_chunked(request);
  }
  Source source;
  source.stream = request.body;
  source.length = *request.http.content_length;
  return source;
}

/// Calls take(span) for each block of the body while the digests are computed, and verifies them at the end.
template <class Take>
Outcome<void> stream(const Request& request, Source& source, Digests& digests, Take take) {
  std::vector<std::byte> block(std::min<std::uint64_t>(kBlockBytes, source.length + 1));
  for (;;) {
    S3_TRY_ASSIGN(const auto got, source.stream->read(block));
    const auto part = std::span<const std::byte>(block).first(got);
    digests.update(part);
    if (auto taken = take(part); !taken) {
      return internal_error(taken.error());
    }
    if (got < block.size()) {
      break;
    }
  }
  return digests.verify(request, source.chunked ? source.chunked->trailer() : std::nullopt);
}

}  // namespace

Outcome<TakenBody> take_body(const Request& request, DataFiles& files, ChecksumKind kind) {
  S3_TRY_ASSIGN(auto source, open_source(request));
  if (source.length > kBodyBytesMax) {
    return refuse(S3Error{400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size",
                          {{"ProposedSize", std::to_string(source.length)}, {"MaxSizeAllowed", std::to_string(kBodyBytesMax)}}, {}});
  }
  S3_TRY_ASSIGN(const auto announced, announced_checksum(request.http.headers));
  S3_TRY(announced_md5(request.http.headers));
  TakenBody taken;
  taken.size = source.length;
  taken.checksum.kind = announced.value_or(kind);
  Digests digests(request, taken.checksum.kind);
  SparseWriter writer(files);
  S3_TRY(stream(request, source, digests, [&](std::span<const std::byte> part) { return writer.append(part); }));
  auto extents = writer.finish();
  if (!extents) {
    return internal_error(extents.error());
  }
  taken.extents = std::move(*extents);
  taken.md5 = digests.md5();
  taken.checksum.value = digests.checksum();
  return taken;
}

Outcome<std::string> take_text(const Request& request, BodyDigest digest) {
  S3_TRY_ASSIGN(auto source, open_source(request));
  if (source.length > kTextBytesMax) {
    return refuse(400, "MaxMessageLengthExceeded", "Your request was too big.");
  }
  std::optional<ChecksumKind> kind;
  if (digest != BodyDigest::none) {
    S3_TRY_ASSIGN(kind, announced_checksum(request.http.headers));
  }
  if (digest == BodyDigest::required && !kind && !request.http.headers.has("content-md5")) {
    return invalid_request("Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  }
  Digests digests(request, kind);
  std::string text;
  const auto append = [&](std::span<const std::byte> part) -> Result<void> {
    text.append(reinterpret_cast<const char*>(part.data()), part.size());
    return {};
  };
  S3_TRY(stream(request, source, digests, append));
  return text;
}

}  // namespace prefixfs::devs3
