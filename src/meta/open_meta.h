#pragma once

#include <string>

#include "prefixfs/meta/node_cache.h"

namespace prefixfs::meta {

/// open_meta() with the kernel's boot id given, so that a test can boot.
Result<MetaStore> open_meta(const MetaOptions& options, const std::string& boot_id);

}  // namespace prefixfs::meta
