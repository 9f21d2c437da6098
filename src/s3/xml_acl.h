#pragma once
// The answer to GetObjectAcl.

#include <string_view>

#include "prefixfs/base/result.h"
#include "prefixfs/object/object_info.h"

namespace prefixfs::s3 {

/// Empty: nobody but the owner is granted anything. Errors: corrupt (no AccessControlPolicy, more grants than S3 has, or a grantee or a permission that a
/// header cannot name).
Result<Grants> read_acl(std::string_view body);

}  // namespace prefixfs::s3
