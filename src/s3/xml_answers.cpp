#include "xml_answers.h"

#include <map>

#include <fmt/format.h>

#include "prefixfs/base/time_format.h"
#include "prefixfs/crypto/crc64nvme.h"
#include "prefixfs/crypto/encoding.h"
#include "xml_parser.h"

namespace prefixfs::s3 {

namespace {

/// An answer without repeated elements: path -> text.
struct FlatDocument {
  std::string root;
  std::map<std::string, std::string, std::less<>> texts;
  std::string operator[](std::string_view path) const {
    const auto found = texts.find(path);
    return found == texts.end() ? std::string() : found->second;
  }
};

Result<FlatDocument> read_flat(std::string_view body) {
  FlatDocument flat;
  XmlCallbacks callbacks;
  callbacks.close = [&](std::string_view path, const std::string& text) { flat.texts.try_emplace(std::string(path), text); };
  TRY_ASSIGN(flat.root, parse_xml(body, callbacks));
  return flat;
}

Result<FlatDocument> read_flat(std::string_view body, std::string_view root) {
  TRY_ASSIGN(FlatDocument flat, read_flat(body));
  if (flat.root != root) {
    return fail(Errc::corrupt, fmt::format("the answer is a <{}>, not a <{}>", flat.root, root));
  }
  return flat;
}

Result<ETag> needed_etag(const FlatDocument& flat) {
  ETag etag = ETag::from_wire(flat["ETag"]);
  if (etag.empty()) {
    return fail(Errc::corrupt, fmt::format("the <{}> has no ETag", flat.root));
  }
  return etag;
}

}  // namespace

std::optional<ErrorDocument> read_error_document(std::string_view body) {
  const auto flat = read_flat(body);
  if (!flat || (flat->root != "Error" && flat->root != "ErrorResponse")) {
    return std::nullopt;
  }
  const FlatDocument& d = *flat;
  const std::string below = d.root == "Error" ? "" : "Error/";  // STS and some proxies wrap it
  return ErrorDocument{d[below + "Code"],       d[below + "Message"], d[below + "Region"],
                       d[below + "BucketName"], d[below + "Key"],     d["RequestId"]};
}

Result<CopyResult> read_copy_result(std::string_view body) {
  TRY_ASSIGN(const FlatDocument flat, read_flat(body));
  if (flat.root != "CopyObjectResult" && flat.root != "CopyPartResult") {
    return fail(Errc::corrupt, fmt::format("the answer to a copy is a <{}>", flat.root));
  }
  CopyResult result;
  TRY_ASSIGN(result.etag, needed_etag(flat));
  result.last_modified = parse_iso8601(flat["LastModified"]).value_or(WallTime{});
  result.crc64nvme = crypto::crc64nvme_from_header(flat["ChecksumCRC64NVME"]);
  return result;
}

Result<std::string> read_tagging(std::string_view body) {
  std::string tagging;
  std::string name;
  std::string value;
  XmlCallbacks callbacks;
  callbacks.close = [&](std::string_view path, const std::string& text) {
    if (path == "TagSet/Tag/Key") {
      name = text;
    } else if (path == "TagSet/Tag/Value") {
      value = text;
    } else if (path == "TagSet/Tag") {
      tagging += fmt::format("{}{}={}", tagging.empty() ? "" : "&", crypto::uri_encode(name, crypto::Slash::encode),
                             crypto::uri_encode(value, crypto::Slash::encode));
      name.clear();
      value.clear();
    }
  };
  TRY_ASSIGN(const std::string root, parse_xml(body, callbacks));
  if (root != "Tagging") {
    return fail(Errc::corrupt, fmt::format("the answer to GetObjectTagging is a <{}>", root));
  }
  return tagging;
}

Result<UploadId> read_initiate_result(std::string_view body) {
  TRY_ASSIGN(const FlatDocument flat, read_flat(body, "InitiateMultipartUploadResult"));
  UploadId id = flat["UploadId"];
  if (id.empty() || id.size() > 2048) {
    return fail(Errc::corrupt, "the answer to CreateMultipartUpload has no usable UploadId");
  }
  return id;
}

Result<CompleteResult> read_complete_result(std::string_view body) {
  TRY_ASSIGN(const FlatDocument flat, read_flat(body, "CompleteMultipartUploadResult"));
  CompleteResult result;
  TRY_ASSIGN(result.etag, needed_etag(flat));
  result.crc64nvme = crypto::crc64nvme_from_header(flat["ChecksumCRC64NVME"]);
  return result;
}

Result<DeleteResult> read_delete_result(std::string_view body) {
  DeleteResult result;
  DeleteResult::Refusal refusal;
  XmlCallbacks callbacks;
  callbacks.open = [&](std::string_view path) {
    if (path == "Error") {
      refusal = {};
    }
  };
  callbacks.close = [&](std::string_view path, const std::string& text) {
    if (path == "Deleted/Key") {
      result.deleted.push_back(text);
    } else if (path == "Error/Key") {
      refusal.key = text;
    } else if (path == "Error/Code") {
      refusal.code = text;
    } else if (path == "Error/Message") {
      refusal.message = text;
    } else if (path == "Error") {
      result.refused.push_back(refusal);
    }
  };
  TRY_ASSIGN(const std::string root, parse_xml(body, callbacks));
  // AWS says DeleteResult; its API model, and servers generated from it, DeleteObjectsOutput or DeleteObjectsResult.
  if (!root.starts_with("Delete")) {
    return fail(Errc::corrupt, fmt::format("the answer to DeleteObjects is a <{}>", root));
  }
  return result;
}

}  // namespace prefixfs::s3
