#pragma once
// One method for each S3 operation. The client, the decorators (retry, metering, prefix) and the in-memory store of the tests
// all are an ObjectStore; tests/contract runs one suite on all of them.
//
// All methods are thread-safe, block until answered, and end with Errc::timeout or Errc::cancelled when the context says so.
// Errors common to all: denied, credentials, wrong_region, throttled, unavailable, timeout, cancelled, invalid, internal;
// not_found also when the bucket is not there (origin.s3_code "NoSuchBucket").
// Keys are whole keys for the client, and keys below the prefix above PrefixStore.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "prefixfs/base/body.h"
#include "prefixfs/base/call_context.h"
#include "prefixfs/base/result.h"
#include "prefixfs/object/byte_range.h"
#include "prefixfs/object/object_info.h"

namespace prefixfs::s3 {

// Limits of S3 (User Guide, "Amazon S3 multipart upload limits").
inline constexpr std::uint64_t kPartBytesMin = 5ULL << 20;
inline constexpr std::uint64_t kPartBytesMax = 5ULL << 30;
inline constexpr std::uint64_t kSinglePutBytesMax = 5ULL << 30;
inline constexpr std::uint64_t kCopyBytesMax = 5ULL << 30;
inline constexpr int kPartsMax = 10000;
inline constexpr std::uint64_t kObjectBytesMax = 5ULL << 40;
inline constexpr std::size_t kUserMetadataBytesMax = 2048;

/// What must hold for a write to take place; otherwise Errc::conflict, and nothing has changed.
struct WriteCondition {
  enum class Kind { none, absent, match };
  Kind kind = Kind::none;
  ETag etag;  ///< for match: the version that must still be the current one
  static WriteCondition none() { return {}; }
  static WriteCondition if_absent() { return {Kind::absent, {}}; }
  static WriteCondition if_match(ETag etag) { return {Kind::match, std::move(etag)}; }
};

/// How S3 keeps an object. What is empty here is as the client's options say, and what those say expressly comes first.
struct StorageChoice {
  std::string storage_class;
  std::string sse;
  std::string sse_key_id;
  bool bucket_key = false;
};
/// What a copy or a rewrite goes on with: the encryption by KMS, and the storage class unless it is an archive, whose bytes cannot be read.
StorageChoice storage_of(const ObjectInfo& info);

/// What is said of an object when it is written.
struct ObjectHeaders {
  std::string content_type;  ///< empty: not sent
  std::string cache_control;
  std::string content_disposition;
  std::string content_encoding;
  std::string content_language;
  std::string expires;
  UserMetadata user_metadata;
  StorageChoice storage;
  std::string tagging;       ///< "name=value&...", URL-encoded. Of copies only with own_tags: they keep those of their source
  Grants grants = {};        ///< not of copies, which have them in CopyOptions. No answer brings them along: see acl()
};
/// The headers that a rewrite keeps.
ObjectHeaders headers_of(const ObjectInfo& info);
/// Makes `info` say what an object written with `headers` says of itself.
void apply_headers(const ObjectHeaders& headers, ObjectInfo& info);

struct GetOptions {
  std::optional<ByteRange> range;  ///< a range beyond the end is cut; nothing of it inside: Errc::invalid with http_status 416
  ETag if_match;                   ///< not empty: another current version is Errc::conflict (412), an object that is gone not_found
  ETag if_none_match;              ///< not empty: an unchanged object ends in `not_modified` with no body
};

struct GetAnswer {
  bool not_modified = false;
  ObjectInfo info;   ///< whole-object size, also for a range; when `not_modified`: key, etag, and last_modified where S3 tells it
  ByteRange range;   ///< what the body holds
};

/// Takes the body of a GET.
class GetSink {
 public:
  virtual ~GetSink() = default;
  /// Before the first byte, and again when a retry starts over.
  virtual Result<void> begin(const GetAnswer& answer) = 0;
  virtual Result<void> accept(std::span<const std::byte> data) = 0;
};

struct PutAnswer {
  ETag etag;
  std::string version_id;
  std::optional<std::uint64_t> crc64nvme;
};

struct CopySource {
  Key key;
  ETag if_match;  ///< not empty: Errc::conflict when the source has changed
};

struct CopyOptions {
  /// Null: the destination keeps the source's headers and metadata (directive COPY). Otherwise these replace all of them.
  std::optional<ObjectHeaders> replace;
  StorageChoice storage;     ///< when `replace` is null; S3 copies none of it by itself
  WriteCondition condition;  ///< on the destination; few servers honour it, see Capabilities
  bool own_tags = false;     ///< with `replace`: its tags, too, and none of the source's
  Grants grants = {};        ///< S3 copies no ACL by itself
};

struct CopyAnswer {
  ETag etag;
  WallTime last_modified{};
};

struct ListOptions {
  std::string prefix;             ///< whole prefix, as in a key
  std::string delimiter = "/";    ///< "" lists everything below
  std::string start_after;
  std::string continuation_token;
  int max_keys = 1000;
};

struct ListPage {
  std::vector<ObjectInfo> objects;            ///< in key order; complete is false
  std::vector<std::string> common_prefixes;   ///< each ends with the delimiter
  std::string next_token;                     ///< empty: this was the last page
};

struct RemoveTarget {
  Key key;
  ETag if_match = {};      ///< as for ObjectStore::remove()
  bool best_effort = false;  ///< `if_match` must not cost a request: a server that does not look at ETags in DeleteObjects deletes what is there
};

/// How an archived object is to be brought back.
struct RestoreOptions {
  std::optional<int> days = 7;     ///< so long the copy that can be read is kept; nothing: of INTELLIGENT_TIERING, where the object itself comes back
  std::string tier = "Standard";   ///< or Bulk, Expedited
};
enum class RestoreState {
  started,
  in_progress,
  restored,      ///< it can be read, and now for so many days more
  not_archived,  ///< there is nothing to restore
};
/// Until when a restored object can be read, as HEAD tells it; nothing: it does not say.
std::optional<WallTime> restored_until(const ObjectInfo& info);

struct DeleteOutcome {
  Key key;
  std::optional<Error> error;
};

using UploadId = std::string;

struct UploadedPart {
  int number = 0;  ///< from 1
  ETag etag;
  std::uint64_t size = 0;
  std::optional<std::uint64_t> crc64nvme;
};

struct OpenUpload {
  Key key;
  UploadId id;
  WallTime initiated{};
};

/// What the endpoint honours. Unknown is treated as "no" where a wrong guess could cost data.
enum class Support { unknown, yes, no };
struct Capabilities {
  Support conditional_put = Support::unknown;     ///< If-None-Match: * and If-Match on PutObject and CompleteMultipartUpload
  Support conditional_delete = Support::unknown;  ///< If-Match on DeleteObject
  Support conditional_copy = Support::unknown;    ///< conditions on the destination of CopyObject
  Support crc64nvme = Support::unknown;           ///< x-amz-checksum-crc64nvme; otherwise Content-MD5 is sent
  Support part_copy = Support::unknown;           ///< UploadPartCopy
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// The object's attributes. Without s3:ListBucket a missing key is Errc::denied. Source: S3 API, HeadObject.
  virtual Result<ObjectInfo> head(const Key& key, const CallContext& context) = 0;

  /// The object's tags, as ObjectHeaders::tagging has them. Needs the right s3:GetObjectTagging. Source: S3 API, GetObjectTagging.
  virtual Result<std::string> tagging(const Key& key, const CallContext& context) = 0;

  /// What its ACL grants. Needs the right s3:GetObjectAcl. Empty also where there are no ACLs: an endpoint that does not know them is asked once.
  /// Source: S3 API, GetObjectAcl. Errors besides the common: corrupt (what the answer grants cannot be said of another version).
  virtual Result<Grants> acl(const Key& key, const CallContext& context) = 0;

  /// Asks for an archived object to be readable for some time. Needs the right s3:RestoreObject. Source: S3 API, RestoreObject.
  /// Errors besides the common: unsupported (not by this tier, or not at the moment).
  virtual Result<RestoreState> restore(const Key& key, const RestoreOptions& options, const CallContext& context) = 0;

  /// Streams (a range of) the object to `sink`. Errors besides the common: not_found, conflict, invalid (416), unsupported
  /// (archived: origin.s3_code "InvalidObjectState"), and the sink's own. A body cut short is never taken for the whole.
  virtual Result<GetAnswer> get(const Key& key, const GetOptions& options, GetSink& sink, const CallContext& context) = 0;

  /// Writes the whole object, at most kSinglePutBytesMax. Returns only after the checksum that S3 echoes has been compared.
  /// Errors: conflict, too_large, no_space.
  virtual Result<PutAnswer> put(const Key& key, const BodySource& body, const ObjectHeaders& headers,
                                const WriteCondition& condition, const CallContext& context) = 0;

  /// Deleting what is not there succeeds. `if_match` not empty: conflict when the object has changed; only sent where
  /// Capabilities::conditional_delete is yes.
  virtual Result<void> remove(const Key& key, const ETag& if_match, const CallContext& context) = 0;

  /// At most 1000 keys; one outcome for each. Those without a condition, or with one that is best_effort, go in one DeleteObjects request, the others one
  /// by one, as by remove(): not every server that honours If-Match looks at the ETags in DeleteObjects.
  virtual Result<std::vector<DeleteOutcome>> remove_many(std::span<const RemoveTarget> targets, const CallContext& context) = 0;

  /// Server-side copy of at most kCopyBytesMax. An error inside a 200 answer is an error.
  virtual Result<CopyAnswer> copy(const CopySource& source, const Key& destination, const CopyOptions& options,
                                  const CallContext& context) = 0;

  /// One page, by ListObjectsV2. Errors: denied (no s3:ListBucket).
  virtual Result<ListPage> list(const ListOptions& options, const CallContext& context) = 0;

  virtual Result<UploadId> create_upload(const Key& key, const ObjectHeaders& headers, const CallContext& context) = 0;
  /// `number` from 1 to kPartsMax; the body 5 MiB to 5 GiB, the last part may be smaller. Sending a number again replaces the part.
  /// Errors: not_found (the upload has expired or was aborted).
  virtual Result<UploadedPart> upload_part(const Key& key, const UploadId& upload, int number, const BodySource& body,
                                           const CallContext& context) = 0;
  /// Takes `range` of `source` as a part, without downloading it.
  virtual Result<UploadedPart> upload_part_copy(const Key& key, const UploadId& upload, int number, const CopySource& source,
                                                ByteRange range, const CallContext& context) = 0;
  /// `parts` in ascending order. Errors: conflict (condition), not_found (no such upload), too_large.
  virtual Result<PutAnswer> complete_upload(const Key& key, const UploadId& upload, std::span<const UploadedPart> parts,
                                            const WriteCondition& condition, const CallContext& context) = 0;
  /// Aborting an upload which is gone succeeds.
  virtual Result<void> abort_upload(const Key& key, const UploadId& upload, const CallContext& context) = 0;
  /// Open uploads whose keys begin with `prefix`, all pages.
  virtual Result<std::vector<OpenUpload>> list_uploads(const std::string& prefix, const CallContext& context) = 0;

  virtual Capabilities capabilities() const = 0;
};

}  // namespace prefixfs::s3
