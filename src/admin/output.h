#pragma once
// Words for a person at a terminal, or for whoever reads a pipe.

#include <chrono>
#include <string>
#include <string_view>

#include "prefixfs/admin/commands.h"
#include "prefixfs/admin/report.h"

namespace prefixfs::admin {

void print(int fd, std::string_view text);
/// "prefixfs: ..." on standard error.
void complain(const Terminal& terminal, const Error& error);

std::string size_text(std::uint64_t bytes);                 ///< "512 bytes", "1.5 MiB"
std::string age_text(std::chrono::nanoseconds age);         ///< "42s", "5m12s", "3h10m", "2d4h"
std::string changes_text(std::uint64_t count);              ///< "1 change", "2 changes"

/// Asks on a terminal, and takes nothing but "yes". `assumed`: --yes. Errors: invalid (there is nobody to ask).
Result<bool> confirmed(const Terminal& terminal, bool assumed, std::string_view question);

}  // namespace prefixfs::admin
