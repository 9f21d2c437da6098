#pragma once
// Finds the daemon of a mount, and asks it.

#include <functional>
#include <string>

#include "prefixfs/base/environment.h"
#include "prefixfs/base/fields.h"
#include "prefixfs/config/options.h"

namespace prefixfs::admin {

struct Place {
  std::string mountpoint;
  std::string cache_dir;
};

/// Errors: not_found (nothing is known of a mount there), and what keeps this user from looking.
Result<Place> find_place(const config::AdminRequest& request, const Environment& environment);

/// Asks, and hands on each record of the answer but the last, which comes back.
/// Errors: unavailable (no daemon runs), denied (another user's), timeout, io, and what the daemon refuses.
Result<Fields> ask(const Place& place, const Fields& request, const std::function<void(const Fields&)>& record);

/// What a path on a command line is called below the mount. Errors: invalid (it is outside).
Result<std::string> path_in_mount(const Place& place, const std::string& path);

}  // namespace prefixfs::admin
