// prefixfs(8). Source of the language: groff_man(7), man-pages(7).

#include <fmt/format.h>

#include "prefixfs/config/options.h"
#include "usage.h"

namespace prefixfs::config {
namespace {

/// Text that must come out letter by letter: roff reads "-" as a hyphen, and a line that begins with "." or "'" as a request.
std::string literal(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    switch (letter) {
      case '\\': out += "\\e"; break;
      case '-': out += "\\-"; break;
      case '~': out += "\\(ti"; break;
      case '^': out += "\\(ha"; break;
      case '`': out += "\\(ga"; break;
      default: out += letter;
    }
  }
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string bold(std::string_view text) { return fmt::format("\\fB{}\\fR", literal(text)); }
std::string italic(std::string_view text) { return fmt::format("\\fI{}\\fR", literal(text)); }
std::string entry(const std::string& head, const std::string& text) { return fmt::format(".TP\n{}\n{}\n", head, text); }

std::string flags() {
  std::string text;
  for (const ProgramFlag& flag : kProgramFlags) {
    text += entry(flag.letter.empty() ? bold(flag.word) : bold(flag.letter) + ", " + bold(flag.word), literal(flag.meaning) + ".");
  }
  return text + entry(bold("-o") + " " + italic("OPTION") + "[," + italic("OPTION") + "...]",
                      "Mount options, see below; may be given several times. A comma in a value is written " + bold("\\,") + ".");
}

std::string commands() {
  std::string text;
  for (const Subcommand& command : kSubcommands) {
    std::string head = bold(std::string("prefixfs ").append(command.word)) + " " + italic("MOUNTPOINT");
    head += command.operands.empty() ? "" : " " + literal(command.operands);
    text += entry(head, literal(command.meaning) + "." + (command.flags.empty() ? "" : " Takes " + literal(command.flags) + "."));
  }
  for (const SubcommandFlag& flag : kSubcommandFlags) {
    text += entry(bold(flag.word) + (flag.value.empty() ? "" : " " + italic(flag.value)), literal(flag.meaning) + ".");
  }
  return text + entry(bold("-o") + " cache_dir=" + italic("DIR"),
                      "The cache directory of the mount, where it is not there and was not in the usual place. Root and the user who mounts may ask.");
}

std::string mount_options() {
  std::string text;
  std::string refused;
  for (const OptionRow& row : option_table()) {
    if (!row.built) {
      refused += (refused.empty() ? "" : ", ") + bold(row.name);
      continue;
    }
    const bool takes_value = !row.value.empty();
    const std::string shown = takes_value ? fmt::format(" Default: {}.", literal(row.fallback)) : "";
    text += entry(bold(row.name) + (takes_value ? "=" + italic(row.value) : ""), literal(row.meaning) + "." + shown);
  }
  text += fmt::format(".PP\n{}.\n.br\n{}\n", literal(kUnits), literal(kMountWords));
  if (!refused.empty()) {
    text += fmt::format(".PP\nKnown, and refused because they are not built: {}.\n", refused);
  }
  return text;
}

constexpr std::string_view kDescription = R"(.SH DESCRIPTION
One file is one object:
.I MOUNTPOINT/a/b.pdf
is the object
.I PREFIX/a/b.pdf
of
.IR BUCKET ,
byte for byte. When
.BR close (2)
or
.BR fsync (2)
return 0, the object is in S3. A program which opens the file afterwards, on any host, reads it.
.PP
The mount appears at once and connects in the background; with
.B \-o check
the command waits for S3 and fails when it cannot be used.
.B umount
ends the process.
.PP
A supervisor holds the mount and starts the process that serves it. When that dies, another one goes on with the mount (Linux 6.9 and later): programs notice a pause, and an error
only for files that were being written.
.B prefixfs upgrade
does the same on purpose with the program that is installed now. It waits up to 30 seconds until nothing is being written; it returns 0 when the installed program serves.
.PP
As
.B mount.prefixfs
or
.B mount.fuse.prefixfs
it is called by
.BR mount (8)
with
.BR mount 's
arguments, of which
.B \-f
means: do everything but mount.
)";

constexpr std::string_view kSurroundings = R"(.SH FSTAB
.EX
s3://bucket/resumes  /srv/app/uploads  fuse.prefixfs  _netdev,allow_other  0 0
.EE
.PP
The options are the words above. A space in a path is written \e040, as
.BR fstab (5)
says.
.SH CREDENTIALS
They are looked for as the AWS SDKs do, the first source that has some wins: the environment
.RB ( AWS_ACCESS_KEY_ID ,
.BR AWS_SECRET_ACCESS_KEY ,
.BR AWS_SESSION_TOKEN ),
keys in the files
.I \(ti/.aws/credentials
and
.I \(ti/.aws/config
.RB ( AWS_PROFILE
or
.BR \-o\ profile=\fINAME ),
the container endpoints of ECS and EKS, the instance role (IMDSv2). They are renewed before they expire, without a remount. Web
identity tokens, assumed roles, SSO and
.B credential_process
are not built, and refused by name.
.SH FILES
.TP
.I /etc/prefixfs/prefixfs.toml
Options for all mounts,
.I name = value
in TOML; a flag is
.B true
or
.BR false .
What
.B \-o
says wins.
.TP
.I /var/lib/prefixfs/NAME
The cache directory of a mount made by root;
.I \(ti/.local/state/prefixfs/NAME
otherwise. One mount owns it, by
.IR lock .
.I cache/
may be deleted while nothing is mounted.
.I journal/
holds inode numbers and what was learnt of the endpoint.
.I stage/
holds bytes of open files.
.I kept/
holds files that S3 did not take; nothing deletes them.
.I locks/
notes which files are locked, with
.BR locks=s3 .
.I control.sock
is where the commands ask.
.TP
.I /var/lib/prefixfs/mounts
Which cache directory belongs to which mountpoint;
.I \(ti/.local/state/prefixfs/mounts
otherwise.
.SH SIGNALS
SIGTERM, SIGINT and SIGHUP end the mount, after open files have been stored.
.SH EXIT STATUS
0 success, 1 wrong usage, 2 system error, 32 the mount failed (those of
.BR mount (8)).
Of the commands: 0 done, 1 refused or not there, 2 no mount answers, S3 does not, or time is up.
.SH EXAMPLES
.EX
prefixfs s3://bucket/resumes /srv/app/uploads
mount \-t prefixfs \-o ro,region=eu\-central\-1 s3://bucket /mnt
prefixfs s3://bucket /mnt \-f \-o endpoint=http://127.0.0.1:9000
prefixfs status /srv/app/uploads
prefixfs drain /srv/app/uploads \-\-timeout 5m
umount /srv/app/uploads
.EE
.SH SEE ALSO
.BR mount (8),
.BR fstab (5),
.BR fusermount3 (1)
)";

}  // namespace

std::string man_page_text(std::string_view version) {
  std::string text = fmt::format(".TH PREFIXFS 8 \"\" \"prefixfs {}\" \"System administration\"\n", literal(version));
  text += ".nh\n.SH NAME\n";
  text += fmt::format("prefixfs \\- {}\n", literal(kSummary));
  text += fmt::format(".SH SYNOPSIS\n.nf\n{0} s3://{2}[/{3}] {4} [{5}] [{6} {7}[,{7}...]]\n"
                      "{1} s3://{2}[/{3}] {4} [{6} {7}[,{7}...]]\n{9} {4}\n{0} {8} {4} [...]\n.fi\n",
                      bold("prefixfs"), bold("mount -t prefixfs"), italic("BUCKET"), italic("PREFIX"), italic("MOUNTPOINT"), bold("-f"),
                      bold("-o"), italic("OPTION"), italic("COMMAND"), bold("prefixfs upgrade"));
  text += kDescription;
  text += ".SH ARGUMENTS\n" + flags();
  text += ".SH COMMANDS\n" + commands();
  text += ".SH MOUNT OPTIONS\n" + mount_options();
  text += kSurroundings;
  return text;
}

}  // namespace prefixfs::config
