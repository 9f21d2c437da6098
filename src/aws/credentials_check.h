#pragma once

#include <string>
#include <string_view>

#include "prefixfs/aws/credentials.h"

namespace prefixfs::aws {

/// Keys and tokens travel in HTTP headers: visible ASCII, of a sane length. `origin` begins the sentence. Errors: credentials.
Result<void> check_usable(const Credentials& credentials, const std::string& origin);

/// The JSON document of the container endpoints and of IMDS: AccessKeyId, SecretAccessKey, Token, Expiration; IMDS has a Code besides.
/// Errors: credentials (malformed, incomplete, over 64 KiB); the sentence begins with `origin` and quotes nothing of the document.
Result<Credentials> parse_credentials_json(std::string_view text, const std::string& origin);

}  // namespace prefixfs::aws
