#pragma once

#include "prefixfs/s3/object_store.h"
#include "prefixfs/telemetry/log.h"

namespace prefixfs::sync {

/// Server-side copy of an object of any size: one CopyObject up to s3::kCopyBytesMax, UploadPartCopy beyond. Nothing is downloaded.
/// `size` is that of the source's version `source.if_match`. `options.replace` as in ObjectStore::copy; for the parts of a large object
/// the source's headers are asked for when they are to be kept. An upload that fails is aborted.
/// Errors: those of ObjectStore::copy.
Result<s3::CopyAnswer> copy_object(s3::ObjectStore& store, const s3::CopySource& source, std::uint64_t size, const Key& destination,
                                   const s3::CopyOptions& options, const CallContext& context);

/// What the ACL of an object grants that is to be replaced or copied. Nothing where it may not be read: then it is lost, with a log line.
Result<Grants> grants_to_keep(s3::ObjectStore& store, const Key& key, Log& log, const CallContext& context);

/// Whether a copy has another ETag than its source: that of one PUT is a hash of the bytes, and a copy has the same; one of an upload of parts is not.
inline bool copy_changes(const ETag& etag) { return etag.str().find('-') != std::string::npos; }

}  // namespace prefixfs::sync
