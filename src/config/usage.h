#pragma once
// What --help and the man page both say, so that each thing is described once. The mount options stand in option_table().

#include <array>
#include <string_view>

#include "prefixfs/config/options.h"

namespace prefixfs::config {

inline constexpr std::string_view kSummary = "mounts a prefix of an S3 bucket as a directory";

struct ProgramFlag {
  std::string_view letter;  ///< "-f"; empty: it has none
  std::string_view word;    ///< "--foreground"
  std::string_view meaning;
};

inline constexpr std::array kProgramFlags{
    ProgramFlag{"-f", "--foreground", "stay in the foreground, and log to standard error"},
    ProgramFlag{"-v", "--verbose", "say what is done"},
    ProgramFlag{"-h", "--help", "the usage and all options"},
    ProgramFlag{"-V", "--version", "the version of the program"},
    ProgramFlag{"", "--man", "the manual page, for man -l -"},
};

/// A command about a mount that is there: `prefixfs WORD MOUNTPOINT OPERANDS`.
struct Subcommand {
  Command command;
  std::string_view word;
  std::string_view operands;  ///< behind MOUNTPOINT
  std::size_t operands_min;
  std::size_t operands_max;
  std::string_view flags;     ///< those of kSubcommandFlags that it takes
  std::string_view meaning;
};

inline constexpr std::size_t kAnyNumber = 1 << 20;

inline constexpr std::array kSubcommands{
    Subcommand{Command::status, "status", "", 0, 0, "--json", "what S3 does not have yet and why, what lies in kept/, and whether S3 answers"},
    Subcommand{Command::drain, "drain", "", 0, 0, "--timeout --progress",
               "wait until S3 has all that is owed now; status 1: something was refused, 2: no answer"},
    Subcommand{Command::retry, "retry", "[PATH]", 0, 1, "", "try again at once what was refused or waits, below PATH or all of it"},
    Subcommand{Command::discard, "discard", "PATH|ID", 1, 1, "--yes", "give up a change that is owed; the bytes of a file go to kept/"},
    Subcommand{Command::conflicts, "conflicts", "[list|show ID|restore ID [TO]]", 0, 3, "--json --yes",
               "the files in kept/: which, why, and copying one back into the mount"},
    Subcommand{Command::restore, "restore", "PATH...", 1, kAnyNumber, "--days --tier",
               "ask S3 to make archived files readable; it takes minutes to days, by storage class and tier"},
};

struct SubcommandFlag {
  std::string_view word;
  std::string_view value;  ///< empty: it takes none
  std::string_view meaning;
};

inline constexpr std::array kSubcommandFlags{
    SubcommandFlag{"--json", "", "print JSON instead of text"},
    SubcommandFlag{"--yes", "", "do not ask"},
    SubcommandFlag{"--progress", "", "a progress line also where standard error is no terminal"},
    SubcommandFlag{"--timeout", "TIME", "wait for so long, also while S3 does not answer"},
    SubcommandFlag{"--days", "N", "for so many days a restored file can be read [7]"},
    SubcommandFlag{"--tier", "Standard|Bulk|Expedited", "how fast, and at what price, S3 restores [Standard]"},
};

inline constexpr std::string_view kUnits = "sizes: 1024, 8M, 1.5GiB; times: 10, 500ms, 10s, 5m, 2h";
inline constexpr std::string_view kMountWords =
    "The words of mount(8) and fstab(5) are understood: _netdev, nofail, noatime, noexec, x-systemd.*, ...";

}  // namespace prefixfs::config
