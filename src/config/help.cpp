#include <fmt/format.h>

#include "prefixfs/config/options.h"

namespace prefixfs::config {

std::string help_text() {
  std::string text =
      "prefixfs mounts a prefix of an S3 bucket as a directory.\n\n"
      "usage: prefixfs s3://BUCKET[/PREFIX] MOUNTPOINT [-f] [-o OPTION[,OPTION...]]\n"
      "       mount -t prefixfs s3://BUCKET[/PREFIX] MOUNTPOINT [-o ...]   (and in /etc/fstab)\n\n"
      "  -f, --foreground     stay in the foreground, and log to standard error\n"
      "  -v, --verbose        say what is done\n"
      "  -h, --help           this text\n"
      "  -V, --version        the version\n\n"
      "options (defaults in brackets; a comma in a value is written \\,):\n";
  for (const OptionRow& row : option_table()) {
    if (!row.built) {
      continue;
    }
    const std::string word = row.value.empty() ? row.name : row.name + "=" + row.value;
    text += fmt::format("  {:<34} {}{}\n", word, row.meaning, row.value.empty() ? "" : fmt::format(" [{}]", row.fallback));
  }
  text +=
      "\nsizes: 1024, 8M, 1.5GiB; times: 10, 500ms, 10s, 5m, 2h\n"
      "The words of mount(8) and fstab(5) are understood: _netdev, nofail, noatime, noexec, x-systemd.*, ...\n"
      "Settings for all mounts: /etc/prefixfs/prefixfs.toml. Credentials: as the AWS SDKs find them.\n";
  return text;
}

}  // namespace prefixfs::config
