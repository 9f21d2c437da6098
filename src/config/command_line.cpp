#include "command_line.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace prefixfs::config {
namespace {

Result<void> check_operands(const CommandLine& line) {
  constexpr std::string_view kUsage = "usage: prefixfs s3://BUCKET[/PREFIX] MOUNTPOINT [-f] [-o OPTIONS]";
  if (line.operands.empty()) {
    return fail(Errc::invalid, fmt::format("the source and the mount point are missing; {}", kUsage));
  }
  if (line.operands.size() == 1) {
    return fail(Errc::invalid, fmt::format("the mount point is missing after \"{}\"; {}", line.operands[0], kUsage));
  }
  if (line.operands.size() > 2) {
    return fail(Errc::invalid, fmt::format("\"{}\" is one argument too many; {}", line.operands[2], kUsage));
  }
  return {};
}

}  // namespace

Result<CommandLine> read_command_line(const std::vector<std::string>& arguments, bool called_by_mount) {
  CommandLine line;
  CLI::App app;
  app.allow_extras();  // what it does not know is sorted out below, with our own words
  app.set_help_flag();
  app.add_flag("-h,--help", line.help);
  app.add_flag("-V,--version", line.version);
  app.add_flag("--man", line.man_page);
  app.add_flag("-f,--foreground", line.f);
  app.add_flag("-v,--verbose", line.verbose);
  app.add_option("-o,--options", line.lists)->allow_extra_args(false);
  bool ignored = false;
  std::string namespace_or_type;
  if (called_by_mount) {
    // mount(8), "EXTERNAL HELPERS": -s sloppy, -n no mtab, -N namespace (mount has entered it), -t the type's own subtype.
    app.add_flag("-s", ignored);
    app.add_flag("-n", ignored);
    app.add_option("-N", namespace_or_type);
    app.add_option("-t", namespace_or_type);
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return fail(Errc::invalid, fmt::format("{}; prefixfs --help shows the usage", error.what()));
  }
  for (const std::string& extra : app.remaining()) {
    if (extra.size() > 1 && extra.starts_with('-')) {
      return fail(Errc::invalid, fmt::format("unknown argument \"{}\"; prefixfs --help shows the usage", extra));
    }
    line.operands.push_back(extra);
  }
  if (!line.help && !line.man_page && !line.version) {
    TRY(check_operands(line));
  }
  return line;
}

}  // namespace prefixfs::config
