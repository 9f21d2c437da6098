// Where a mount keeps its files when nobody says.

#include <fmt/format.h>

#include "prefixfs/config/options.h"

namespace prefixfs::config {
namespace {

/// FNV-1a, 64 bits: must stay the same for ever, since it names what a mount finds again after an upgrade.
std::uint64_t fingerprint(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : text) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  }
  return hash;
}

/// Readable in ls, and one for each (bucket, prefix, mount point).
std::string directory_name(const Options& options) {
  std::string name = options.bucket;
  for (const char letter : fmt::format("-{}-{}", options.prefix.str(), options.mountpoint)) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
                       letter == '.';
    if (plain) {
      name += letter;
    } else if (!name.ends_with('-')) {
      name += '-';
    }
  }
  name.resize(std::min<std::size_t>(name.size(), 100));
  // A line feed cannot stand in a bucket, so that no two triples make the same text.
  return fmt::format("{}-{:016x}", name, fingerprint(fmt::format("{}\n{}\n{}", options.bucket, options.mountpoint, options.prefix.str())));
}

/// What all of this user's mounts share.
Result<std::string> base_dir(bool is_root, const Environment& environment) {
  if (is_root) {
    return "/var/lib/prefixfs";
  }
  // XDG Base Directory Specification: a relative path counts as unset.
  if (auto state = environment.get("XDG_STATE_HOME"); state && state->starts_with('/')) {
    return *state + "/prefixfs";
  }
  if (auto home = environment.get("HOME"); home && home->starts_with('/')) {
    return *home + "/.local/state/prefixfs";
  }
  return fail(Errc::invalid, "neither XDG_STATE_HOME nor HOME is set, so there is no place for this mount's files; use -o cache_dir=DIR");
}

}  // namespace

Result<std::string> default_cache_dir(const Options& options, bool is_root, const Environment& environment) {
  TRY_ASSIGN(const std::string base, base_dir(is_root, environment));
  return base + "/" + directory_name(options);
}

Result<std::string> mounts_dir(bool is_root, const Environment& environment) {
  TRY_ASSIGN(const std::string base, base_dir(is_root, environment));
  return base + "/mounts";  // no bucket's directory is called so: those end in a fingerprint
}

}  // namespace prefixfs::config
