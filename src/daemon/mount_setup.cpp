#include "mount_setup.h"

namespace prefixfs::daemon {
namespace {

/// As fstab has it, so that mount and umount recognise the line.
std::string shown_source(const config::Options& options) {
  std::string source = "s3://" + options.bucket + "/" + options.prefix.str();
  source.pop_back();
  return source;
}

}  // namespace

fuse::MountOptions mount_options_of(const config::Options& options) {
  return {.source = shown_source(options),
          .mountpoint = options.mountpoint,
          .allow_other = options.allow_other,
          .read_only = options.read_only,
          .generic = options.fuse_options};
}

std::unique_ptr<Log> make_log_for(const config::Options& options) {
  const LogLevel level = parse_log_level(options.log_level).value_or(LogLevel::info);
  if (!options.log_file.empty()) {
    return make_log(LogTarget::file, level, options.log_file);
  }
  return make_log(options.foreground ? LogTarget::stderr_stream : LogTarget::syslog, level);
}

}  // namespace prefixfs::daemon
