#pragma once
// Small pieces that both halves of MemoryStore use.

#include <memory>
#include <string>
#include <string_view>

#include "prefixfs/base/clock.h"
#include "prefixfs/s3/object_store.h"

namespace prefixfs::test::memory_store_text {

/// The error which S3 would give, with the evidence a real answer carries.
std::unexpected<Error> refuse(Errc code, std::string operation, const Key& key, int status, std::string s3_code);
/// Cancelled, too late, or a key that S3 does not take.
Result<void> check_call(const char* operation, const Key& key, const CallContext& context, const Clock& clock);
Result<void> check_headers(const char* operation, const Key& key, const s3::ObjectHeaders& headers);

std::span<const std::byte> as_bytes(std::string_view text);
/// x-amz-restore of what can be read until then.
std::string restored_text(WallTime until);
ETag md5_etag(std::string_view text);
Result<std::shared_ptr<const std::string>> read_all(const BodySource& body);
/// In pieces, as a network would bring them.
Result<void> send(std::string_view bytes, ByteRange range, s3::GetSink& sink, const CallContext& context, const Clock& clock);

}  // namespace prefixfs::test::memory_store_text
