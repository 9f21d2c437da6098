#pragma once
// What may stand behind the "=" of an option.

#include <initializer_list>
#include <string>
#include <string_view>

#include "prefixfs/base/result.h"

namespace prefixfs::config {

/// `value` when it is one of `built`. Errors: unsupported when it is one of `planned`, else invalid.
Result<std::string> parse_choice(const std::string& value, std::initializer_list<std::string_view> built,
                                 std::initializer_list<std::string_view> planned = {});

/// A number, or a name that the system knows.
Result<std::uint32_t> parse_user(const std::string& value);
Result<std::uint32_t> parse_group(const std::string& value);

/// Octal, at most 0777.
Result<std::uint32_t> parse_umask(const std::string& value);

/// "http[s]://host[:port]", without the "/" at the end.
Result<std::string> parse_endpoint(const std::string& value);

/// "none", "AES256", "aws:kms", "aws:kms:<key>", "aws:kms:dsse" (S3 API, PutObject, x-amz-server-side-encryption).
Result<std::string> parse_sse(const std::string& value);

/// "STANDARD_IA" and the like: which of them exist is for S3 to say.
Result<std::string> parse_storage_class(const std::string& value);

Result<std::string> parse_region(const std::string& value);

}  // namespace prefixfs::config
