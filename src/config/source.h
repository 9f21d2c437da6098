#pragma once

#include <string>

#include "prefixfs/config/options.h"

namespace prefixfs::config {

/// "s3://bucket[/prefix[/]]" into bucket and prefix. Errors: invalid; the sentence shows the right form.
Result<void> parse_source(const std::string& source, Options& options);

}  // namespace prefixfs::config
