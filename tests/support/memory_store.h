#pragma once
// An ObjectStore in memory, with S3's rules: ETags, conditions, listings with a delimiter, multipart uploads, copies, metadata.
// It earns its trust from tests/contract, the suite that the real client has to pass too.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "prefixfs/base/clock.h"
#include "prefixfs/s3/object_store.h"

namespace prefixfs::test {

/// Thread-safe. Sinks and bodies are called without the store's lock.
class MemoryStore final : public s3::ObjectStore {
 public:
  /// `clock` dates the objects, in whole seconds as S3 does.
  explicit MemoryStore(const Clock& clock) : clock_(clock) {}

  Result<ObjectInfo> head(const Key& key, const CallContext& context) override;
  Result<std::string> tagging(const Key& key, const CallContext& context) override;
  Result<Grants> acl(const Key& key, const CallContext& context) override;
  Result<s3::RestoreState> restore(const Key& key, const s3::RestoreOptions& options, const CallContext& context) override;
  Result<s3::GetAnswer> get(const Key& key, const s3::GetOptions& options, s3::GetSink& sink, const CallContext& context) override;
  Result<s3::PutAnswer> put(const Key& key, const BodySource& body, const s3::ObjectHeaders& headers,
                            const s3::WriteCondition& condition, const CallContext& context) override;
  Result<void> remove(const Key& key, const ETag& if_match, const CallContext& context) override;
  Result<std::vector<s3::DeleteOutcome>> remove_many(std::span<const s3::RemoveTarget> targets, const CallContext& context) override;
  Result<s3::CopyAnswer> copy(const s3::CopySource& source, const Key& destination, const s3::CopyOptions& options,
                              const CallContext& context) override;
  Result<s3::ListPage> list(const s3::ListOptions& options, const CallContext& context) override;
  Result<s3::UploadId> create_upload(const Key& key, const s3::ObjectHeaders& headers, const CallContext& context) override;
  Result<s3::UploadedPart> upload_part(const Key& key, const s3::UploadId& upload, int number, const BodySource& body,
                                       const CallContext& context) override;
  Result<s3::UploadedPart> upload_part_copy(const Key& key, const s3::UploadId& upload, int number, const s3::CopySource& source,
                                            ByteRange range, const CallContext& context) override;
  Result<s3::PutAnswer> complete_upload(const Key& key, const s3::UploadId& upload, std::span<const s3::UploadedPart> parts,
                                        const s3::WriteCondition& condition, const CallContext& context) override;
  Result<void> abort_upload(const Key& key, const s3::UploadId& upload, const CallContext& context) override;
  Result<std::vector<s3::OpenUpload>> list_uploads(const std::string& prefix, const CallContext& context) override;
  s3::Capabilities capabilities() const override;

  // ---- What a test sets up. ----

  /// The rights of the caller. Without `list` a missing key is Errc::denied, as in S3.
  struct Rights {
    bool list = true;
    bool get = true;
    bool put = true;
    bool remove = true;
    bool tagging = true;
    bool acl = true;
  };
  void set_rights(Rights rights);
  /// From now on the last objects come in the first page of a listing, and the directories in each: what no S3 does, but a server might.
  void list_backwards();
  /// Only what is reported; the store itself always honours conditions.
  void set_capabilities(const s3::Capabilities& capabilities);
  /// Smallest part but the last; S3's 5 MiB unless a test wants small parts.
  void set_part_bytes_min(std::uint64_t bytes);
  /// Stores an object as another client would: no rights, no conditions. Returns its ETag.
  ETag put_text(std::string_view key, std::string_view text, const s3::ObjectHeaders& headers = {});
  void erase(std::string_view key);
  /// As another client may at any time: it is the same version afterwards.
  void set_grants(std::string_view key, const Grants& grants);
  /// As if a lifecycle rule had moved it to GLACIER, or into a tier of INTELLIGENT_TIERING: GET answers InvalidObjectState.
  void archive(std::string_view key, const std::string& storage_class = "GLACIER");
  /// What was asked of it is done, and its bytes can be had.
  void finish_restore(std::string_view key);
  /// Runs once, when the next GET has sent its headers: what happens while a body is on its way.
  void before_body(std::function<void()> hook);

  // ---- What a test looks at. ----

  std::optional<std::string> text(std::string_view key) const;
  std::optional<ObjectInfo> info(std::string_view key) const;
  std::vector<std::string> keys() const;
  std::size_t open_uploads() const;

 private:
  using Bytes = std::shared_ptr<const std::string>;
  struct Object {
    Bytes bytes;
    ObjectInfo info;
    std::string tagging;
    Grants grants;
    bool archived = false;           ///< its bytes cannot be had
    std::optional<int> restoring = {};  ///< for so many days; 0: for ever
  };
  struct Part {
    Bytes bytes;
    ETag etag;
    std::uint64_t crc64nvme = 0;
  };
  struct Upload {
    Key key;
    s3::ObjectHeaders headers;
    WallTime initiated{};
    std::map<int, Part> parts;
  };

  // All of these want mutex_ held.
  Result<const Object*> find(const char* operation, const Key& key) const;
  Result<const Object*> find_source(const char* operation, const s3::CopySource& source) const;
  Result<Upload*> find_upload(const char* operation, const Key& key, const s3::UploadId& id);
  Result<void> check_condition(const char* operation, const Key& key, const s3::WriteCondition& condition) const;
  ObjectInfo& store(const Key& key, Bytes bytes, ETag etag, const s3::ObjectHeaders& headers);
  s3::ListPage page_in_order(const s3::ListOptions& options) const;
  s3::ListPage page_backwards(const s3::ListOptions& options) const;
  Result<s3::UploadedPart> store_part(Upload& upload, int number, Bytes bytes);
  Result<std::string> join_parts(const Key& key, const Upload& upload, std::span<const s3::UploadedPart> parts,
                                 std::string& part_digests) const;

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Object, std::less<>> objects_;
  std::map<s3::UploadId, Upload> uploads_;
  std::uint64_t uploads_made_ = 0;
  Rights rights_;
  bool backwards_ = false;
  std::function<void()> before_body_;
  s3::Capabilities capabilities_{s3::Support::yes, s3::Support::yes, s3::Support::yes, s3::Support::yes, s3::Support::yes};
  std::uint64_t part_bytes_min_ = s3::kPartBytesMin;
};

}  // namespace prefixfs::test
