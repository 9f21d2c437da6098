// The commands about a mount that is there. Their table stands in usage.h.

#include "subcommand.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "option_entries.h"
#include "option_words.h"
#include "usage.h"

namespace prefixfs::config {
namespace {

constexpr int kDaysMax = 36'500;

const Subcommand* find_subcommand(std::string_view word) {
  const auto found = std::ranges::find(kSubcommands, word, &Subcommand::word);
  return found == kSubcommands.end() ? nullptr : &*found;
}

std::string usage_of(const Subcommand& command) {
  std::string text = fmt::format("usage: prefixfs {} MOUNTPOINT", command.word);
  text += command.operands.empty() ? "" : fmt::format(" {}", command.operands);
  for (const SubcommandFlag& flag : kSubcommandFlags) {
    if (command.flags.contains(flag.word)) {
      text += flag.value.empty() ? fmt::format(" [{}]", flag.word) : fmt::format(" [{} {}]", flag.word, flag.value);
    }
  }
  return text;
}

struct Words {
  std::vector<std::string> operands;
  std::vector<std::string> lists;
  std::string timeout;
};

Result<Words> read_words(const Subcommand& command, const std::vector<std::string>& arguments, Invocation& invocation) {
  Words words;
  bool help = false;
  CLI::App app;
  app.allow_extras();
  app.set_help_flag();
  app.add_flag("-h,--help", help);
  app.add_option("-o,--options", words.lists)->allow_extra_args(false);
  const auto takes = [&](std::string_view flag) { return command.flags.contains(flag); };
  if (takes("--json")) {
    app.add_flag("--json", invocation.admin.json);
  }
  if (takes("--yes")) {
    app.add_flag("--yes", invocation.admin.yes);
  }
  if (takes("--progress")) {
    app.add_flag("--progress", invocation.admin.progress);
  }
  if (takes("--timeout")) {
    app.add_option("--timeout", words.timeout);
  }
  if (takes("--days")) {
    app.add_option("--days", invocation.admin.days)->check(CLI::Range(1, kDaysMax));
  }
  if (takes("--tier")) {
    app.add_option("--tier", invocation.admin.tier)->check(CLI::IsMember({"Standard", "Bulk", "Expedited"}));
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend() - 1));
  } catch (const CLI::ParseError& error) {
    return fail(Errc::invalid, fmt::format("{}; {}", error.what(), usage_of(command)));
  }
  invocation.command = help ? Command::help : command.command;
  words.operands = app.remaining();
  for (const std::string& operand : words.operands) {
    if (operand.size() > 1 && operand.starts_with('-') && operand != "--") {
      return fail(Errc::invalid, fmt::format("unknown argument \"{}\"; {}", operand, usage_of(command)));
    }
  }
  std::erase(words.operands, "--");
  return words;
}

Result<void> check_count(const Subcommand& command, const std::vector<std::string>& operands) {
  if (operands.empty() || operands[0].empty()) {
    return fail(Errc::invalid, fmt::format("the mount point is missing; {}", usage_of(command)));
  }
  const std::size_t more = operands.size() - 1;
  if (more < command.operands_min) {
    return fail(Errc::invalid, fmt::format("{} is missing after \"{}\"; {}", command.operands, operands[0], usage_of(command)));
  }
  if (more > command.operands_max) {
    return fail(Errc::invalid, fmt::format("\"{}\" is one argument too many; {}", operands[1 + command.operands_max], usage_of(command)));
  }
  return {};
}

}  // namespace

bool is_subcommand(const std::string& word) { return find_subcommand(word) != nullptr; }

Result<Invocation> read_subcommand(const std::vector<std::string>& arguments, const std::string& working_directory) {
  const Subcommand& command = *find_subcommand(arguments[0]);
  Invocation invocation;
  TRY_ASSIGN(Words words, read_words(command, arguments, invocation));
  if (invocation.command == Command::help) {
    return invocation;
  }
  TRY(check_count(command, words.operands));
  AdminRequest& request = invocation.admin;
  request.mountpoint = absolute_path(words.operands[0], working_directory);
  request.operands.assign(words.operands.begin() + 1, words.operands.end());
  if (!words.timeout.empty()) {
    TRY_ASSIGN(request.timeout, parse_duration(words.timeout));
  }
  // The line of fstab may be given as it is; only this word of it matters here.
  for (const std::string& list : words.lists) {
    for (const OptionWord& word : split_words(list)) {
      TRY(apply_word(word, working_directory, invocation.options));
    }
  }
  request.cache_dir = invocation.options.cache_dir;
  return invocation;
}

}  // namespace prefixfs::config
