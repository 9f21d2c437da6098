#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "prefixfs/crypto/encoding.h"
#include "prefixfs/object/key.h"
#include "request.h"

namespace prefixfs::devs3 {
namespace {

struct Row {
  std::string_view method;
  bool has_key;
  std::string_view query;   ///< must be there; empty: always
  std::string_view header;  ///< likewise
  Operation operation;
};

// The first row that fits is taken, so the special ones stand before the plain ones.
constexpr std::array<Row, 26> kRows{{
    {"GET", false, "location", "", Operation::get_bucket_location},
    {"GET", false, "versioning", "", Operation::get_bucket_versioning},
    {"GET", false, "uploads", "", Operation::list_multipart_uploads},
    {"GET", false, "list-type", "", Operation::list_objects_v2},
    {"GET", false, "", "", Operation::list_objects},
    {"HEAD", false, "", "", Operation::head_bucket},
    {"PUT", false, "", "", Operation::create_bucket},
    {"DELETE", false, "", "", Operation::delete_bucket},
    {"POST", false, "delete", "", Operation::delete_objects},
    {"GET", true, "uploadId", "", Operation::list_parts},
    {"GET", true, "tagging", "", Operation::get_object_tagging},
    {"GET", true, "acl", "", Operation::get_object_acl},
    {"GET", true, "", "", Operation::get_object},
    {"HEAD", true, "", "", Operation::head_object},
    {"PUT", true, "tagging", "", Operation::put_object_tagging},
    {"PUT", true, "acl", "", Operation::put_object_acl},
    {"PUT", true, "uploadId", "x-amz-copy-source", Operation::upload_part_copy},
    {"PUT", true, "uploadId", "", Operation::upload_part},
    {"PUT", true, "", "x-amz-copy-source", Operation::copy_object},
    {"PUT", true, "", "", Operation::put_object},
    {"DELETE", true, "uploadId", "", Operation::abort_multipart_upload},
    {"DELETE", true, "tagging", "", Operation::delete_object_tagging},
    {"DELETE", true, "", "", Operation::delete_object},
    {"POST", true, "restore", "", Operation::restore_object},
    {"POST", true, "uploads", "", Operation::create_multipart_upload},
    {"POST", true, "uploadId", "", Operation::complete_multipart_upload},
}};

// Subresources of S3 that devs3 does not have. Taking such a request for the plain operation would do damage: PUT ?renameObject is no
// PutObject.
constexpr std::array<std::string_view, 33> kUnknown{
    "accelerate", "acl", "analytics", "attributes", "cors", "encryption", "intelligent-tiering", "inventory", "legal-hold", "lifecycle",
    "logging", "metrics", "notification", "object-lock", "ownershipControls", "partNumber", "policy", "policyStatus", "publicAccessBlock",
    "renameObject", "replication", "requestPayment", "retention", "select", "session", "torrent", "versionId", "versions",
    "website", "metadataTable", "abac", "append", "metadataConfiguration"};

constexpr std::array<std::string_view, 28> kNames{
    "ListBuckets", "CreateBucket", "HeadBucket", "DeleteBucket", "GetBucketLocation", "GetBucketVersioning",
    "ListObjectsV2", "ListObjects", "ListMultipartUploads", "DeleteObjects",
    "PutObject", "GetObject", "HeadObject", "DeleteObject", "CopyObject",
    "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging", "GetObjectAcl", "PutObjectAcl", "RestoreObject",
    "CreateMultipartUpload", "UploadPart", "UploadPartCopy", "ListParts", "CompleteMultipartUpload", "AbortMultipartUpload",
    "Unknown"};

Operation find_operation(const Request& request) {
  if (request.bucket.empty()) {
    return request.http.method == "GET" ? Operation::list_buckets : Operation::unknown;
  }
  for (const auto& row : kRows) {
    if (row.method == request.http.method && row.has_key == !request.key.empty() && (row.query.empty() || request.has_query(row.query)) &&
        (row.header.empty() || request.http.headers.has(row.header))) {
      return row.operation;
    }
  }
  return Operation::unknown;
}

Outcome<void> check_subresources(const Request& request) {
  const bool parts = request.has_query("uploadId");
  for (const auto& [name, value] : request.query) {
    const bool known = (name == "partNumber" && parts) || (name == "acl" && !request.key.empty());
    if (!known && std::ranges::find(kUnknown, name) != kUnknown.end()) {
      return not_implemented(name, "A header you provided implies functionality that is not implemented");
    }
  }
  if (request.operation == Operation::unknown) {
    return refuse(405, "MethodNotAllowed", "The specified method is not allowed against this resource.", "Method", request.http.method);
  }
  return {};
}

}  // namespace

std::string_view operation_name(Operation operation) { return kNames[static_cast<std::size_t>(operation)]; }

bool Request::has_query(std::string_view name) const {
  return std::ranges::any_of(query, [&](const auto& pair) { return pair.first == name; });
}

std::string Request::query_value(std::string_view name) const {
  const auto it = std::ranges::find_if(query, [&](const auto& pair) { return pair.first == name; });
  return it == query.end() ? std::string() : it->second;
}

std::string Request::resource() const {
  return bucket.empty() ? "/" : key.empty() ? fmt::format("/{}", bucket) : fmt::format("/{}/{}", bucket, key);
}

Outcome<void> route(Request& request) {
  const auto bad_uri = [] { return refuse(400, "InvalidURI", "Couldn't parse the specified URI."); };
  const auto decoded = crypto::uri_decode(request.http.path);
  const auto query = parse_query(request.http.query);
  if (!decoded || !query || !is_utf8(*decoded)) {
    return bad_uri();
  }
  request.query = *query;
  const auto slash = decoded->find('/', 1);
  request.bucket = decoded->substr(1, slash == std::string::npos ? slash : slash - 1);
  request.key = slash == std::string::npos ? std::string() : decoded->substr(slash + 1);
  request.operation = find_operation(request);
  if (request.key.size() > kKeyBytesMax) {
    return refuse(S3Error{400, "KeyTooLongError", "Your key is too long",
                          {{"Size", std::to_string(request.key.size())}, {"MaxSizeAllowed", std::to_string(kKeyBytesMax)}}, {}});
  }
  if (request.key.find('\0') != std::string::npos) {
    return bad_uri();
  }
  return check_subresources(request);
}

Response xml_response(std::string body) {
  Response response;
  response.add("Content-Type", "application/xml");
  response.length = body.size();
  response.body = std::move(body);
  return response;
}

Response empty_response(int status) {
  Response response;
  response.status = status;
  return response;
}

}  // namespace prefixfs::devs3
