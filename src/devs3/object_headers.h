#pragma once
// The headers with which objects are described, both ways.

#include "object.h"
#include "request.h"

namespace prefixfs::devs3 {

/// Content-Type and its kin, x-amz-meta-*, storage class, encryption and tags of a PutObject, CreateMultipartUpload or a copy with
/// REPLACE. MetadataTooLarge, InvalidStorageClass, InvalidArgument, InvalidTag.
Outcome<Description> read_description(const Request& request);
/// Parts of the former, for copies that keep the rest.
Outcome<Attributes> read_object_headers(const Request& request);
Outcome<std::string> read_storage_class(const Request& request);
Outcome<void> read_encryption(const Request& request, Description& out);
Outcome<Attributes> read_tags(const Request& request);
Outcome<void> check_tags(const Attributes& tags);

/// What a GET or HEAD says of the object, except length and range.
void add_object_headers(Response& response, const Object& object);
void add_encryption_headers(Response& response, const Description& description);
void add_checksum_headers(Response& response, const Checksum& checksum);
std::string quoted_etag(std::string_view etag);

}  // namespace prefixfs::devs3
