#include <fmt/format.h>

#include "prefixfs/config/options.h"
#include "usage.h"

namespace prefixfs::config {

namespace {

std::string command_line_of(const Subcommand& command) {
  return fmt::format("{} MOUNTPOINT{}{}", command.word, command.operands.empty() ? "" : " ", command.operands);
}

}  // namespace

std::string help_text() {
  std::string text = fmt::format(
      "prefixfs {}.\n\n"
      "usage: prefixfs s3://BUCKET[/PREFIX] MOUNTPOINT [-f] [-o OPTION[,OPTION...]]\n"
      "       prefixfs upgrade MOUNTPOINT   (the installed program goes on with the mount)\n"
      "       mount -t prefixfs s3://BUCKET[/PREFIX] MOUNTPOINT [-o ...]   (and in /etc/fstab)\n"
      "       prefixfs COMMAND MOUNTPOINT [...]\n\n",
      kSummary);
  for (const ProgramFlag& flag : kProgramFlags) {
    const std::string words = flag.letter.empty() ? fmt::format("    {}", flag.word) : fmt::format("{}, {}", flag.letter, flag.word);
    text += fmt::format("  {:<20} {}\n", words, flag.meaning);
  }
  text += "\ncommands about a mount:\n";
  for (const Subcommand& command : kSubcommands) {
    text += fmt::format("  {:<46} {}\n", command_line_of(command), command.meaning);
  }
  for (const SubcommandFlag& flag : kSubcommandFlags) {
    text += fmt::format("  {:<46} {}\n", flag.value.empty() ? std::string(flag.word) : fmt::format("{} {}", flag.word, flag.value), flag.meaning);
  }
  text += "  -o cache_dir=DIR                               where the mount was given one, and is not there\n";
  text += "\noptions (defaults in brackets; a comma in a value is written \\,):\n";
  for (const OptionRow& row : option_table()) {
    if (!row.built) {
      continue;
    }
    const std::string word = row.value.empty() ? row.name : row.name + "=" + row.value;
    text += fmt::format("  {:<34} {}{}\n", word, row.meaning, row.value.empty() ? "" : fmt::format(" [{}]", row.fallback));
  }
  text += fmt::format(
      "\n{}\n{}\n"
      "Settings for all mounts: /etc/prefixfs/prefixfs.toml. Credentials: as the AWS SDKs find them. More: man prefixfs\n",
      kUnits, kMountWords);
  return text;
}

}  // namespace prefixfs::config
