#pragma once

#include <string>

#include "prefixfs/base/result.h"

namespace prefixfs::meta {

/// Whether the pages that the last transaction in `directory`/data.mdb reaches are there and make sense. LMDB trusts them: one that is cut off or
/// overwritten would end the process by a signal. Nothing is changed. Errors: corrupt, denied, io.
Result<void> check_lmdb_file(const std::string& directory);

}  // namespace prefixfs::meta
