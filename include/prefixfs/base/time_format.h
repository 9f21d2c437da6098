#pragma once
// The time formats of HTTP and S3; g++ 12 has no chrono formatting.

#include <optional>
#include <string>
#include <string_view>

#include "prefixfs/base/clock.h"

namespace prefixfs {

std::string format_http_date(WallTime time);          ///< "Fri, 24 May 2013 00:00:00 GMT" (RFC 9110)
std::string format_iso8601(WallTime time);            ///< "2013-05-24T00:00:00.000Z"
std::string format_iso8601_basic(WallTime time);      ///< "20130524T000000Z" (x-amz-date)
std::optional<WallTime> parse_http_date(std::string_view text);
/// "2013-05-24T00:00:00Z", with or without a fraction of 1 to 9 digits.
std::optional<WallTime> parse_iso8601(std::string_view text);
std::optional<WallTime> parse_iso8601_basic(std::string_view text);

}  // namespace prefixfs
