#include "object_headers.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "prefixfs/base/time_format.h"
#include "prefixfs/crypto/encoding.h"

namespace prefixfs::devs3 {
namespace {

constexpr std::size_t kMetadataBytesMax = 2048;  // S3 User Guide, "Working with object metadata"
constexpr std::size_t kTagsMax = 10;
constexpr std::string_view kMeta = "x-amz-meta-";

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kKept{{{"cache-control", "Cache-Control"},
                                                                              {"content-disposition", "Content-Disposition"},
                                                                              {"content-encoding", "Content-Encoding"},
                                                                              {"content-language", "Content-Language"},
                                                                              {"content-type", "Content-Type"},
                                                                              {"expires", "Expires"},
                                                                              {"x-amz-website-redirect-location",
                                                                               "x-amz-website-redirect-location"}}};

constexpr std::array<std::string_view, 8> kStorageClasses{"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA",
                                                          "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"};

/// aws-chunked is how the body travels, no property of the object.
std::string without_aws_chunked(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    const auto comma = value.find(',');
    auto word = value.substr(0, comma);
    value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
    word.remove_prefix(std::min(word.find_first_not_of(' '), word.size()));
    if (word != "aws-chunked") {
      out.append(out.empty() ? "" : ",").append(word);
    }
  }
  return out;
}

Outcome<void> read_metadata(const Request& request, Attributes& out) {
  std::size_t total = 0;
  for (const auto& header : request.http.headers.all()) {
    if (!header.name.starts_with(kMeta)) {
      continue;
    }
    const bool ascii = std::ranges::all_of(header.value, [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
    if (!ascii || header.name.size() == kMeta.size()) {
      return invalid_argument("User metadata must be named, and its values must be printable US-ASCII", header.name, "");
    }
    total += header.name.size() - kMeta.size() + header.value.size();
    auto& value = out[header.name];
    value += (value.empty() ? "" : ",") + header.value;
  }
  if (total > kMetadataBytesMax) {
    return refuse(S3Error{400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size",
                          {{"Size", std::to_string(total)}, {"MaxSizeAllowed", std::to_string(kMetadataBytesMax)}}, {}});
  }
  return {};
}

}  // namespace

std::string quoted_etag(std::string_view etag) { return fmt::format("\"{}\"", etag); }

Outcome<Attributes> read_object_headers(const Request& request) {
  Attributes out;
  for (const auto& [name, written] : kKept) {
    if (auto value = request.http.headers.find(name)) {
      auto kept = name == "content-encoding" ? without_aws_chunked(*value) : *value;
      if (!kept.empty()) {
        out[std::string(name)] = std::move(kept);
      }
    }
  }
  out.try_emplace("content-type", "binary/octet-stream");
  S3_TRY(read_metadata(request, out));
  return out;
}

Outcome<std::string> read_storage_class(const Request& request) {
  const auto value = request.http.headers.find("x-amz-storage-class").value_or("STANDARD");
  if (std::ranges::find(kStorageClasses, value) == kStorageClasses.end()) {
    return refuse(400, "InvalidStorageClass", "The storage class you specified is not valid", "StorageClassRequested", value);
  }
  return value;
}

Outcome<void> read_encryption(const Request& request, Description& out) {
  constexpr std::string_view kHeader = "x-amz-server-side-encryption";
  for (const auto& header : request.http.headers.all()) {
    if (header.name.starts_with("x-amz-server-side-encryption-customer-")) {
      return not_implemented(header.name, "Encryption with keys of the customer is not implemented");
    }
  }
  out.sse = request.http.headers.find(kHeader).value_or("AES256");
  out.sse_key_id = request.header("x-amz-server-side-encryption-aws-kms-key-id");
  const bool kms = out.sse == "aws:kms" || out.sse == "aws:kms:dsse";
  if (out.sse != "AES256" && !kms) {
    return invalid_argument("The encryption method specified is not supported", kHeader, out.sse);
  }
  if (!out.sse_key_id.empty() && !kms) {
    return invalid_argument("Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
                            kHeader, out.sse);
  }
  if (kms && out.sse_key_id.empty()) {
    out.sse_key_id = "arn:aws:kms:us-east-1:000000000000:alias/aws/s3";
  }
  return {};
}

Outcome<void> check_tags(const Attributes& tags) {
  const auto invalid = [](std::string message) { return refuse(400, "InvalidTag", std::move(message)); };
  if (tags.size() > kTagsMax) {
    return refuse(400, "BadRequest", "Object tags cannot be greater than 10");
  }
  for (const auto& [name, value] : tags) {
    if (name.empty() || name.size() > 128) {
      return invalid("The TagKey you have provided is invalid");
    }
    if (value.size() > 256) {
      return invalid("The TagValue you have provided is invalid");
    }
  }
  return {};
}

Outcome<Attributes> read_tags(const Request& request) {
  const auto bad = [] {
    return invalid_argument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name "
                            "duplicates.", "x-amz-tagging", "");
  };
  std::string text = request.header("x-amz-tagging");
  std::ranges::replace(text, '+', ' ');
  const auto pairs = parse_query(text);
  if (!pairs) {
    return bad();
  }
  Attributes tags;
  for (const auto& [name, value] : *pairs) {
    if (!tags.emplace(name, value).second) {
      return bad();
    }
  }
  S3_TRY(check_tags(tags));
  return tags;
}

Outcome<Description> read_description(const Request& request) {
  Description out;
  S3_TRY_ASSIGN(out.headers, read_object_headers(request));
  S3_TRY_ASSIGN(out.storage_class, read_storage_class(request));
  S3_TRY(read_encryption(request, out));
  S3_TRY_ASSIGN(out.tags, read_tags(request));
  return out;
}

void add_encryption_headers(Response& response, const Description& description) {
  response.add("x-amz-server-side-encryption", description.sse);
  if (!description.sse_key_id.empty()) {
    response.add("x-amz-server-side-encryption-aws-kms-key-id", description.sse_key_id);
  }
}

void add_checksum_headers(Response& response, const Checksum& checksum) {
  response.add(std::string(checksum_header(checksum.kind)), checksum.value);
  response.add("x-amz-checksum-type", checksum.composite ? "COMPOSITE" : "FULL_OBJECT");
}

void add_object_headers(Response& response, const Object& object) {
  response.add("ETag", quoted_etag(object.etag));
  response.add("Last-Modified", format_http_date(object.last_modified));
  response.add("Accept-Ranges", "bytes");
  for (const auto& [name, value] : object.description.headers) {
    const auto known = std::ranges::find_if(kKept, [&](const auto& pair) { return pair.first == name; });
    response.add(std::string(known == kKept.end() ? std::string_view(name) : known->second), value);
  }
  add_encryption_headers(response, object.description);
  if (object.description.storage_class != "STANDARD") {
    response.add("x-amz-storage-class", object.description.storage_class);
  }
  if (!object.description.tags.empty()) {
    response.add("x-amz-tagging-count", std::to_string(object.description.tags.size()));
  }
}

}  // namespace prefixfs::devs3
