// From the arguments to one const Options.

#include <fmt/format.h>

#include "command_line.h"
#include "option_entries.h"
#include "option_words.h"
#include "settings_file.h"
#include "source.h"
#include "subcommand.h"

namespace prefixfs::config {
namespace {

/// What always holds, whatever was asked for.
void finish(Options& options) {
  std::vector<std::string> always{"nosuid", "nodev"};
  if (options.read_only) {
    always.emplace_back("ro");
  }
  options.fuse_options.insert(options.fuse_options.begin(), always.begin(), always.end());
}

}  // namespace

Result<Invocation> parse_invocation(const std::string& program, const std::vector<std::string>& arguments,
                                    const std::string& working_directory, const FileReader& files) {
  const bool called_by_mount = program == "mount.prefixfs" || program == "mount.fuse.prefixfs";
  if (!called_by_mount && !arguments.empty() && is_subcommand(arguments[0])) {
    return read_subcommand(arguments, working_directory);
  }
  TRY_ASSIGN(const CommandLine line, read_command_line(arguments, called_by_mount));
  Invocation invocation;
  invocation.verbose = line.verbose;
  if (line.help || line.man_page || line.version) {
    invocation.command = line.help ? Command::help : line.man_page ? Command::man_page : Command::version;
    return invocation;
  }
  Options& options = invocation.options;
  (called_by_mount ? invocation.fake : options.foreground) = line.f;
  TRY(parse_source(line.operands[0], options));
  if (line.operands[1].empty()) {
    return fail(Errc::invalid, "the mount point is empty");
  }
  options.mountpoint = absolute_path(line.operands[1], working_directory);
  TRY(apply_settings_file(files, kSettingsPath, options));
  for (const std::string& list : line.lists) {
    for (const OptionWord& word : split_words(list)) {
      TRY(apply_word(word, working_directory, options));
    }
  }
  finish(options);
  return invocation;
}

}  // namespace prefixfs::config
