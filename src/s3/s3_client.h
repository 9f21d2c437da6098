#pragma once
// The ObjectStore over HTTP. One method for each operation, in files by question: get, put, conditions, copy, delete, list, multipart.

#include <atomic>
#include <string>
#include <vector>

#include "digests.h"
#include "exchange.h"
#include "xml_answers.h"

namespace prefixfs::s3 {

/// Thread-safe.
class S3Client final : public ObjectStore {
 public:
  S3Client(const ClientOptions& options, http::Engine& engine, aws::CredentialsProvider& credentials, const Clock& clock,
           EndpointMemory& memory, Log& log)
      : options_(options), exchange_(options, engine, credentials, clock, memory, log) {}

  Result<ObjectInfo> head(const Key& key, const CallContext& context) override;
  Result<std::string> tagging(const Key& key, const CallContext& context) override;
  Result<Grants> acl(const Key& key, const CallContext& context) override;
  Result<RestoreState> restore(const Key& key, const RestoreOptions& options, const CallContext& context) override;
  Result<GetAnswer> get(const Key& key, const GetOptions& options, GetSink& sink, const CallContext& context) override;
  Result<PutAnswer> put(const Key& key, const BodySource& body, const ObjectHeaders& headers, const WriteCondition& condition,
                        const CallContext& context) override;
  Result<void> remove(const Key& key, const ETag& if_match, const CallContext& context) override;
  Result<std::vector<DeleteOutcome>> remove_many(std::span<const RemoveTarget> targets, const CallContext& context) override;
  Result<CopyAnswer> copy(const CopySource& source, const Key& destination, const CopyOptions& options,
                          const CallContext& context) override;
  Result<ListPage> list(const ListOptions& options, const CallContext& context) override;
  Result<UploadId> create_upload(const Key& key, const ObjectHeaders& headers, const CallContext& context) override;
  Result<UploadedPart> upload_part(const Key& key, const UploadId& upload, int number, const BodySource& body,
                                   const CallContext& context) override;
  Result<UploadedPart> upload_part_copy(const Key& key, const UploadId& upload, int number, const CopySource& source, ByteRange range,
                                        const CallContext& context) override;
  Result<PutAnswer> complete_upload(const Key& key, const UploadId& upload, std::span<const UploadedPart> parts,
                                    const WriteCondition& condition, const CallContext& context) override;
  Result<void> abort_upload(const Key& key, const UploadId& upload, const CallContext& context) override;
  Result<std::vector<OpenUpload>> list_uploads(const std::string& prefix, const CallContext& context) override;
  Capabilities capabilities() const override { return exchange_.capabilities().get(); }

 private:
  // conditions.cpp: If-None-Match and If-Match, and what stands in for them.

  /// What S3's 412 would have been.
  std::unexpected<Error> conflict(std::string_view operation, const Key& key, std::string_view why) const;
  /// Holds the condition by a HEAD where the endpoint is not known to hold it by itself.
  Result<void> check_condition(const char* operation, const Key& key, const WriteCondition& condition, const CallContext& context);
  /// Sends with the condition's header; on an endpoint which refuses the header, without. `honours`: what tells whether it does.
  Result<http::Response> send_conditional(Call call, const WriteCondition& condition, CapabilityBook::Field honours, const CallContext& context);
  /// The endpoint has just stored `call`'s bytes; the same again with If-None-Match: * must fail.
  void prove_conditions(Call call, PutAnswer& answer, const CallContext& context);
  void prove_conditional_copy(Call call, const CopySource& source, CopyResult& copied, const CallContext& context);

  // checksums.cpp: CRC64NVME, or Content-MD5 where that is refused.

  Result<Digests> digest(const BodySource& body, bool with_crc, const CallContext& context) const;
  bool wants_crc() const;
  http::Header checksum_header(const Digests& digests, bool with_crc) const;
  /// What the endpoint repeated, if anything. Errors: corrupt (it has read other bytes than were sent).
  Result<std::optional<std::uint64_t>> compare_echo(const Call& call, std::uint64_t sent, const http::Response& response) const;
  /// A 400 or 501 whose words name the checksum.
  static bool refuses_checksum(const Error& error);
  /// `error` says that the endpoint does not know this checksum: remembers it.
  bool learn_from_refusal(const Error& error);

  // object_acl.cpp: the grants of an ACL.

  /// Whether the write may have been refused for its grants; says so in the log, since it will be sent without them.
  bool refuses_grants(const Grants& grants, const Error& error);
  /// None where the bucket or the endpoint is known to have no ACLs.
  void add_known_grants(const Grants& grants, Headers& out) const;
  void learn_that_there_are_no_acls(const Error& error);

  /// Takes out of `headers` what the write was refused for and can do without; each at most once.
  bool leaves_away(ObjectHeaders& headers, const Error& error);
  /// Whether the write was refused for its tags alone; says so in the log, since it will be sent without them.
  bool lacks_tagging_right(const ObjectHeaders& headers, const Error& error);
  Result<CopyAnswer> copy_granted(const CopySource& source, const Key& destination, const CopyOptions& options, const CallContext& context);
  Result<PutAnswer> put_described(const Key& key, const BodySource& body, const ObjectHeaders& headers, const WriteCondition& condition,
                                  const CallContext& context);
  Result<UploadId> create_described(const Key& key, const ObjectHeaders& headers, const CallContext& context);
  Result<PutAnswer> put_once(const Key& key, const BodySource& body, const Headers& headers, const WriteCondition& condition,
                             bool with_crc, const CallContext& context);
  Result<UploadedPart> upload_part_once(const Key& key, const UploadId& upload, int number, const BodySource& body, bool with_crc,
                                        const CallContext& context);
  Result<Headers> headers_to_write(const ObjectHeaders& headers) const;
  Result<void> remove_if_unchanged(const Key& key, const ETag& etag, const CallContext& context);
  Result<void> remove_conditionally(const Key& key, const ETag& etag, const CallContext& context);
  Result<void> remove_listed(std::span<const RemoveTarget> targets, std::vector<DeleteOutcome>& outcomes, const CallContext& context);
  Result<std::optional<GetAnswer>> get_once(const Key& key, const GetOptions& options, GetSink& sink, const CallContext& context);
  Result<std::optional<GetAnswer>> get_of_nothing(const Call& call, const GetOptions& options, const http::Response& response, GetSink& sink,
                                                  const CallContext& context);
  std::string copy_source(const Key& key) const;
  CapabilityBook& known() { return exchange_.capabilities(); }

  const ClientOptions options_;
  Exchange exchange_;
  std::atomic<bool> no_acls_ = false;  ///< of the bucket, or of the endpoint
};

}  // namespace prefixfs::s3
