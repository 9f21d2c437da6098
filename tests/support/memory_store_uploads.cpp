// Listings and multipart uploads of the in-memory store.

#include <algorithm>

#include <fmt/format.h>

#include "prefixfs/crypto/crc64nvme.h"
#include "prefixfs/crypto/encoding.h"
#include "prefixfs/crypto/hash.h"
#include "support/memory_store.h"
#include "support/memory_store_text.h"

namespace prefixfs::test {

using namespace memory_store_text;

namespace {

/// The part of `key` up to and with the first delimiter after the prefix; empty when there is none.
std::string common_prefix_of(const std::string& key, const s3::ListOptions& options) {
  if (options.delimiter.empty()) {
    return {};
  }
  const std::size_t at = key.find(options.delimiter, options.prefix.size());
  return at == std::string::npos ? std::string() : key.substr(0, at + options.delimiter.size());
}

ObjectInfo listed(const ObjectInfo& info) {
  ObjectInfo entry;
  entry.key = info.key;
  entry.size = info.size;
  entry.etag = info.etag;
  entry.last_modified = info.last_modified;
  entry.storage_class = info.storage_class;
  return entry;
}

}  // namespace

Result<s3::ListPage> MemoryStore::list(const s3::ListOptions& options, const CallContext& context) {
  TRY(check_call("ListObjectsV2", Key("-"), context, clock_));
  const std::lock_guard lock(mutex_);
  if (!rights_.list) {
    return refuse(Errc::denied, "ListObjectsV2", Key(options.prefix), 403, "AccessDenied");
  }
  return backwards_ ? page_backwards(options) : page_in_order(options);
}

s3::ListPage MemoryStore::page_backwards(const s3::ListOptions& options) const {
  s3::ListPage all;
  s3::ListOptions rest = options;
  rest.continuation_token.clear();
  do {
    s3::ListPage page = page_in_order(rest);
    std::ranges::move(page.objects, std::back_inserter(all.objects));
    std::ranges::move(page.common_prefixes, std::back_inserter(all.common_prefixes));
    rest.continuation_token = page.next_token;
  } while (!rest.continuation_token.empty());
  s3::ListPage page{.objects = {}, .common_prefixes = std::move(all.common_prefixes), .next_token = {}};
  const std::size_t given = options.continuation_token.empty() ? 0 : std::stoul(options.continuation_token);
  const std::size_t end = std::min(all.objects.size(), given + static_cast<std::size_t>(options.max_keys));
  for (std::size_t from_end = end; from_end > given; --from_end) {
    page.objects.push_back(all.objects[all.objects.size() - from_end]);
  }
  page.next_token = end < all.objects.size() ? std::to_string(end) : "";
  return page;
}

s3::ListPage MemoryStore::page_in_order(const s3::ListOptions& options) const {
  const std::string& after = options.continuation_token.empty() ? options.start_after : options.continuation_token;
  const std::size_t max_keys = static_cast<std::size_t>(std::clamp(options.max_keys, 1, 1000));
  s3::ListPage page;
  std::string last;
  auto at = after < options.prefix ? objects_.lower_bound(options.prefix) : objects_.upper_bound(after);
  for (; at != objects_.end() && at->first.starts_with(options.prefix); ++at) {
    const std::string folder = common_prefix_of(at->first, options);
    if (!folder.empty() && (folder == last || folder == after)) {
      continue;
    }
    if (page.objects.size() + page.common_prefixes.size() == max_keys) {
      page.next_token = last;
      break;
    }
    if (folder.empty()) {
      page.objects.push_back(listed(at->second.info));
      last = at->first;
    } else {
      page.common_prefixes.push_back(folder);
      last = folder;
    }
  }
  return page;
}

Result<MemoryStore::Upload*> MemoryStore::find_upload(const char* operation, const Key& key, const s3::UploadId& id) {
  const auto found = uploads_.find(id);
  if (found == uploads_.end() || found->second.key != key) {
    return refuse(Errc::not_found, operation, key, 404, "NoSuchUpload");
  }
  return &found->second;
}

Result<s3::UploadId> MemoryStore::create_upload(const Key& key, const s3::ObjectHeaders& headers, const CallContext& context) {
  TRY(check_call("CreateMultipartUpload", key, context, clock_));
  TRY(check_headers("CreateMultipartUpload", key, headers));
  const std::lock_guard lock(mutex_);
  if (!rights_.put) {
    return refuse(Errc::denied, "CreateMultipartUpload", key, 403, "AccessDenied");
  }
  s3::UploadId id = fmt::format("upload-{}", ++uploads_made_);
  uploads_[id] = Upload{key, headers, std::chrono::floor<std::chrono::seconds>(clock_.now()), {}};
  return id;
}

Result<s3::UploadedPart> MemoryStore::store_part(Upload& upload, int number, Bytes bytes) {
  Part part{bytes, md5_etag(*bytes), crypto::crc64nvme(0, as_bytes(*bytes))};
  s3::UploadedPart answer{number, part.etag, bytes->size(), part.crc64nvme};
  upload.parts[number] = std::move(part);
  return answer;
}

Result<s3::UploadedPart> MemoryStore::upload_part(const Key& key, const s3::UploadId& upload, int number, const BodySource& body,
                                                  const CallContext& context) {
  TRY(check_call("UploadPart", key, context, clock_));
  if (number < 1 || number > s3::kPartsMax) {
    return refuse(Errc::invalid, "UploadPart", key, 400, "InvalidArgument");
  }
  if (body.size() > s3::kPartBytesMax) {
    return refuse(Errc::too_large, "UploadPart", key, 400, "EntityTooLarge");
  }
  TRY_ASSIGN(auto bytes, read_all(body));
  const std::lock_guard lock(mutex_);
  if (!rights_.put) {
    return refuse(Errc::denied, "UploadPart", key, 403, "AccessDenied");
  }
  TRY_ASSIGN(Upload * open, find_upload("UploadPart", key, upload));
  return store_part(*open, number, std::move(bytes));
}

Result<s3::UploadedPart> MemoryStore::upload_part_copy(const Key& key, const s3::UploadId& upload, int number,
                                                       const s3::CopySource& source, ByteRange range, const CallContext& context) {
  TRY(check_call("UploadPartCopy", key, context, clock_));
  const std::lock_guard lock(mutex_);
  if (!rights_.put || !rights_.get) {
    return refuse(Errc::denied, "UploadPartCopy", key, 403, "AccessDenied");
  }
  TRY_ASSIGN(Upload * open, find_upload("UploadPartCopy", key, upload));
  TRY_ASSIGN(const Object* from, find_source("UploadPartCopy", source));
  if (number < 1 || number > s3::kPartsMax || range.empty() || range.end > from->info.size) {
    return refuse(Errc::invalid, "UploadPartCopy", key, 400, "InvalidArgument");
  }
  return store_part(*open, number, std::make_shared<const std::string>(from->bytes->substr(range.begin, range.length())));
}

Result<std::string> MemoryStore::join_parts(const Key& key, const Upload& upload, std::span<const s3::UploadedPart> parts,
                                            std::string& part_digests) const {
  constexpr const char* kOperation = "CompleteMultipartUpload";
  if (parts.empty() || parts.size() > static_cast<std::size_t>(s3::kPartsMax)) {
    return refuse(Errc::invalid, kOperation, key, 400, "MalformedXML");
  }
  std::string whole;
  int before = 0;
  for (const s3::UploadedPart& part : parts) {
    if (part.number <= before) {
      return refuse(Errc::invalid, kOperation, key, 400, "InvalidPartOrder");
    }
    before = part.number;
    const auto stored = upload.parts.find(part.number);
    if (stored == upload.parts.end() || stored->second.etag != part.etag ||
        (part.crc64nvme && *part.crc64nvme != stored->second.crc64nvme)) {
      return refuse(Errc::invalid, kOperation, key, 400, "InvalidPart");
    }
    if (&part != &parts.back() && stored->second.bytes->size() < part_bytes_min_) {
      return refuse(Errc::invalid, kOperation, key, 400, "EntityTooSmall");
    }
    whole += *stored->second.bytes;
    part_digests += crypto::from_hex(stored->second.etag.str()).value_or("");
  }
  return whole;
}

Result<s3::PutAnswer> MemoryStore::complete_upload(const Key& key, const s3::UploadId& upload, std::span<const s3::UploadedPart> parts,
                                                   const s3::WriteCondition& condition, const CallContext& context) {
  TRY(check_call("CompleteMultipartUpload", key, context, clock_));
  const std::lock_guard lock(mutex_);
  if (!rights_.put) {
    return refuse(Errc::denied, "CompleteMultipartUpload", key, 403, "AccessDenied");
  }
  TRY_ASSIGN(const Upload* open, find_upload("CompleteMultipartUpload", key, upload));
  std::string part_digests;
  TRY_ASSIGN(std::string whole, join_parts(key, *open, parts, part_digests));
  TRY(check_condition("CompleteMultipartUpload", key, condition));
  const ETag etag = ETag::from_wire(fmt::format("{}-{}", md5_etag(part_digests).str(), parts.size()));
  const ObjectInfo& info = store(key, std::make_shared<const std::string>(std::move(whole)), etag, open->headers);
  uploads_.erase(upload);
  return s3::PutAnswer{info.etag, {}, info.crc64nvme};
}

Result<void> MemoryStore::abort_upload(const Key& key, const s3::UploadId& upload, const CallContext& context) {
  TRY(check_call("AbortMultipartUpload", key, context, clock_));
  const std::lock_guard lock(mutex_);
  const auto found = uploads_.find(upload);
  if (found != uploads_.end() && found->second.key == key) {
    uploads_.erase(found);
  }
  return {};
}

Result<std::vector<s3::OpenUpload>> MemoryStore::list_uploads(const std::string& prefix, const CallContext& context) {
  TRY(check_call("ListMultipartUploads", Key("-"), context, clock_));
  const std::lock_guard lock(mutex_);
  if (!rights_.list) {
    return refuse(Errc::denied, "ListMultipartUploads", Key(prefix), 403, "AccessDenied");
  }
  std::vector<s3::OpenUpload> uploads;
  for (const auto& [id, upload] : uploads_) {
    if (upload.key.str().starts_with(prefix)) {
      uploads.push_back({upload.key, id, upload.initiated});
    }
  }
  std::sort(uploads.begin(), uploads.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return uploads;
}

}  // namespace prefixfs::test
