#include "support/memory_store_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "prefixfs/base/time_format.h"
#include "prefixfs/crypto/encoding.h"
#include "prefixfs/crypto/hash.h"

namespace prefixfs::test::memory_store_text {

std::unexpected<Error> refuse(Errc code, std::string operation, const Key& key, int status, std::string s3_code) {
  Error error{code, fmt::format("memory store: {} of '{}' refused with {} {}", operation, key.str(), status, s3_code), {}};
  error.origin.operation = std::move(operation);
  error.origin.key = key.str();
  error.origin.http_status = status;
  error.origin.s3_code = std::move(s3_code);
  error.origin.request_id = "MEMORY";
  error.origin.attempt = 1;
  return fail(std::move(error));
}

std::string restored_text(WallTime until) { return fmt::format("ongoing-request=\"false\", expiry-date=\"{}\"", format_http_date(until)); }

Result<void> check_call(const char* operation, const Key& key, const CallContext& context, const Clock& clock) {
  if (context.cancel.stop_requested()) {
    return refuse(Errc::cancelled, operation, key, 0, "");
  }
  if (clock.steady() >= context.until()) {
    return refuse(Errc::timeout, operation, key, 0, "");
  }
  if (key.empty()) {
    return refuse(Errc::invalid, operation, key, 0, "");
  }
  if (key.str().size() > kKeyBytesMax) {
    return refuse(Errc::name_too_long, operation, key, 400, "KeyTooLongError");
  }
  return {};
}

Result<void> check_headers(const char* operation, const Key& key, const s3::ObjectHeaders& headers) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : headers.user_metadata) {
    bytes += name.size() + value.size();
    const bool printable = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
    if (!printable) {
      return refuse(Errc::invalid, operation, key, 0, "");
    }
  }
  if (bytes > s3::kUserMetadataBytesMax) {
    return refuse(Errc::too_large, operation, key, 400, "MetadataTooLarge");
  }
  return {};
}

std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

ETag md5_etag(std::string_view text) {
  const crypto::Md5Digest digest = crypto::md5(as_bytes(text));
  return ETag::from_wire(crypto::hex(digest));
}

Result<std::shared_ptr<const std::string>> read_all(const BodySource& body) {
  constexpr std::uint64_t kPiece = 256 * 1024;
  std::string bytes(body.size(), '\0');
  const std::span<std::byte> all = std::as_writable_bytes(std::span(bytes.data(), bytes.size()));
  for (std::uint64_t at = 0; at < bytes.size(); at += kPiece) {
    TRY(body.read_at(at, all.subspan(at, std::min<std::uint64_t>(kPiece, bytes.size() - at))));
  }
  return std::make_shared<const std::string>(std::move(bytes));
}

Result<void> send(std::string_view bytes, ByteRange range, s3::GetSink& sink, const CallContext& context, const Clock& clock) {
  constexpr std::uint64_t kPiece = 128 * 1024;
  for (std::uint64_t at = range.begin; at < range.end; at += kPiece) {
    TRY(check_call("GetObject", Key("-"), context, clock));
    TRY(sink.accept(as_bytes(bytes.substr(at, std::min(kPiece, range.end - at)))));
  }
  return {};
}

}  // namespace prefixfs::test::memory_store_text
