#include "prefixfs/sync/object_copy.h"

#include <algorithm>

namespace prefixfs::sync {
namespace {

// Large parts keep the requests few; S3 copies a part of this size in seconds.
constexpr std::uint64_t kCopyPartBytes = 512ULL << 20;

Result<s3::CopyAnswer> copy_parts(s3::ObjectStore& store, const s3::CopySource& source, std::uint64_t size, const Key& destination,
                                  const s3::UploadId& upload, const s3::WriteCondition& condition, const CallContext& context) {
  const std::uint64_t part_bytes = std::max(kCopyPartBytes, size / s3::kPartsMax + 1);
  std::vector<s3::UploadedPart> parts;
  for (std::uint64_t begin = 0; begin < size; begin += part_bytes) {
    const ByteRange range{begin, std::min(size, begin + part_bytes)};
    const int number = static_cast<int>(parts.size()) + 1;
    TRY_ASSIGN(s3::UploadedPart part, store.upload_part_copy(destination, upload, number, source, range, context));
    parts.push_back(std::move(part));
  }
  TRY_ASSIGN(const s3::PutAnswer answer, store.complete_upload(destination, upload, parts, condition, context));
  return s3::CopyAnswer{.etag = answer.etag, .last_modified = {}};
}

Result<s3::CopyAnswer> copy_large(s3::ObjectStore& store, const s3::CopySource& source, std::uint64_t size, const Key& destination,
                                  const s3::CopyOptions& options, const CallContext& context) {
  s3::ObjectHeaders headers;
  if (options.replace) {
    headers = *options.replace;
  } else {
    TRY_ASSIGN(const ObjectInfo info, store.head(source.key, context));
    headers = s3::headers_of(info);
    if (info.tag_count > 0) {
      TRY_ASSIGN(headers.tagging, store.tagging(source.key, context));
    }
  }
  headers.grants = options.grants;
  TRY_ASSIGN(const s3::UploadId upload, store.create_upload(destination, headers, context));
  auto copied = copy_parts(store, source, size, destination, upload, options.condition, context);
  if (!copied) {
    // The caller's time may be over; aborting is worth a little more.
    const auto aborted = store.abort_upload(destination, upload, CallContext{});
    static_cast<void>(aborted);
  }
  return copied;
}

}  // namespace

Result<Grants> grants_to_keep(s3::ObjectStore& store, const Key& key, Log& log, const CallContext& context) {
  auto grants = store.acl(key, context);
  if (grants) {
    return grants;
  }
  Error& error = grants.error();
  if (error.code == Errc::not_found) {  // the write or the copy will say what that means
    return Grants{};
  }
  if (error.code == Errc::denied) {
    log.warn("{} loses the ACL that it may have, which cannot be read; allow s3:GetObjectAcl, or mount without acls=keep: {}", key.str(), describe(error));
    return Grants{};
  }
  if (error.code == Errc::corrupt) {
    error.what += "; it stays as it is, unless it is mounted without acls=keep";
  }
  return grants;
}

Result<s3::CopyAnswer> copy_object(s3::ObjectStore& store, const s3::CopySource& source, std::uint64_t size, const Key& destination,
                                   const s3::CopyOptions& options, const CallContext& context) {
  if (size <= s3::kCopyBytesMax) {
    return store.copy(source, destination, options, context);
  }
  return copy_large(store, source, size, destination, options, context);
}

}  // namespace prefixfs::sync
