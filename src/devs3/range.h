#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "prefixfs/object/byte_range.h"
#include "s3_error.h"

namespace prefixfs::devs3 {

/// The one range of a GET: "bytes=a-b", "bytes=a-", "bytes=-n". Nothing where the header is to be ignored (RFC 9110, 14.2: another unit,
/// not well-formed, several ranges). InvalidRange (416) where no byte of the object is in it.
Outcome<std::optional<ByteRange>> read_range(std::string_view header, std::uint64_t size);

/// x-amz-copy-source-range: "bytes=a-b" only, and all of it must be there. InvalidArgument.
Outcome<ByteRange> read_copy_range(std::string_view header, std::uint64_t size);

}  // namespace prefixfs::devs3
