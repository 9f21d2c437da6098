#include <fmt/format.h>

#include "prefixfs/config/options.h"
#include "usage.h"

namespace prefixfs::config {

std::string help_text() {
  std::string text = fmt::format(
      "prefixfs {}.\n\n"
      "usage: prefixfs s3://BUCKET[/PREFIX] MOUNTPOINT [-f] [-o OPTION[,OPTION...]]\n"
      "       mount -t prefixfs s3://BUCKET[/PREFIX] MOUNTPOINT [-o ...]   (and in /etc/fstab)\n\n",
      kSummary);
  for (const ProgramFlag& flag : kProgramFlags) {
    const std::string words = flag.letter.empty() ? fmt::format("    {}", flag.word) : fmt::format("{}, {}", flag.letter, flag.word);
    text += fmt::format("  {:<20} {}\n", words, flag.meaning);
  }
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
