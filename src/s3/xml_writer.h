#pragma once
// The XML documents that prefixfs sends.

#include <span>
#include <string>
#include <string_view>

#include "prefixfs/s3/object_store.h"

namespace prefixfs::s3 {

/// Whether XML 1.0 can carry `text` unchanged. Control characters and what is not UTF-8 cannot be written at all, and line ends are normalised.
bool xml_can_carry(std::string_view text);

std::string write_restore_request(const RestoreOptions& options);
std::string write_delete_request(std::span<const RemoveTarget> targets);
/// The parts' checksums are included where they are known and `with_checksums`.
std::string write_complete_request(std::span<const UploadedPart> parts, bool with_checksums);

}  // namespace prefixfs::s3
