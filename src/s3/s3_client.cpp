#include "s3_client.h"

#include "prefixfs/crypto/encoding.h"

namespace prefixfs::s3 {

Result<Headers> S3Client::headers_to_write(const ObjectHeaders& headers) const {
  TRY_ASSIGN(Headers result, describe_object(headers));
  TRY_ASSIGN(Headers storage, storage_headers(options_.sse, options_.storage_class, headers.storage));
  result.insert(result.end(), storage.begin(), storage.end());
  return result;
}

std::string S3Client::copy_source(const Key& key) const {
  return options_.bucket + "/" + crypto::uri_encode(key.str(), crypto::Slash::keep);
}

std::unique_ptr<ObjectStore> make_client(const ClientOptions& options, http::Engine& engine, aws::CredentialsProvider& credentials,
                                         const Clock& clock, EndpointMemory& memory, Log& log) {
  return std::make_unique<S3Client>(options, engine, credentials, clock, memory, log);
}

}  // namespace prefixfs::s3
