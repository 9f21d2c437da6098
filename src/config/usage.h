#pragma once
// What --help and the man page both say, so that each thing is described once. The mount options stand in option_table().

#include <array>
#include <string_view>

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

inline constexpr std::string_view kUnits = "sizes: 1024, 8M, 1.5GiB; times: 10, 500ms, 10s, 5m, 2h";
inline constexpr std::string_view kMountWords =
    "The words of mount(8) and fstab(5) are understood: _netdev, nofail, noatime, noexec, x-systemd.*, ...";

}  // namespace prefixfs::config
