#pragma once
// The command line, fstab's words, the settings file and the environment, made into one const Options.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "prefixfs/base/environment.h"
#include "prefixfs/base/result.h"
#include "prefixfs/object/key.h"

namespace prefixfs::config {

enum class Coherence { open, ttl, immutable };
enum class Attrs { listing, exact };
enum class Unlisted { deny, known };
enum class PosixMetadata { aws, s3fs, off };
enum class Acknowledge { s3, journal };  ///< who must have a change when the call returns
enum class Outage { queue, error };
enum class LockScope { local, s3 };  ///< among whose programs flock and fcntl locks hold: this host's, or all that mount the prefix

struct Options {
  // What and where.
  std::string source;      ///< as it was written; what the kernel shows, so that mount -a finds its line of fstab again
  std::string bucket;
  Prefix prefix;
  std::string mountpoint;  ///< absolute
  std::string endpoint;
  std::string region;
  bool path_style = false;
  std::string profile;

  // The local side.
  std::string cache_dir;  ///< empty: chosen by default_cache_dir()
  std::uint64_t cache_size_bytes = 1ULL << 30;
  std::uint64_t stage_size_bytes = 10ULL << 30;

  // Meaning.
  Acknowledge commit = Acknowledge::s3;
  std::optional<Acknowledge> unlink;  ///< nothing: as `commit`
  Outage outage = Outage::queue;
  Coherence coherence = Coherence::open;
  std::chrono::milliseconds freshness{1000};  ///< the window; ttl=N sets it
  std::chrono::milliseconds outage_timeout{10000};
  Attrs attrs = Attrs::listing;
  bool excl_at_open = false;  ///< O_EXCL is settled between hosts by open(), not by close()
  LockScope locks = LockScope::local;
  std::chrono::milliseconds lock_lease{30'000};  ///< so long the locks of a host hold that is not heard of
  Unlisted unlisted = Unlisted::deny;
  PosixMetadata posix_metadata = PosixMetadata::aws;
  bool keep_acls = false;  ///< what an object's ACL grants to others is kept when it is written again
  std::string sse;  ///< empty: AES256, and what is rewritten keeps its own
  std::string storage_class;
  std::uint64_t part_size_bytes = 8ULL << 20;
  std::optional<std::uint64_t> max_file_size_bytes;
  std::uint64_t size_bytes = 1ULL << 50;  ///< what statfs() tells: an object store has none
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> gid;
  std::uint32_t umask = 022;
  bool read_only = false;
  bool allow_other = false;
  bool check = false;  ///< wait for S3 and fail loudly instead of connecting in the background

  // The process.
  bool foreground = false;
  std::string log_level = "info";
  std::string log_file;  ///< empty: stderr with -f, syslog otherwise
  std::vector<std::string> fuse_options;  ///< generic mount options to hand on: ro, noatime, nosuid, nodev, noexec, ...
};

enum class Command { mount, help, man_page, version, status, drain, retry, discard, conflicts, restore };

/// What a command about a mount is asked: `prefixfs status MOUNTPOINT ...`.
struct AdminRequest {
  std::string mountpoint;              ///< absolute
  std::string cache_dir;               ///< of that mount, where -o cache_dir=DIR says it
  std::vector<std::string> operands;   ///< behind MOUNTPOINT
  bool json = false;
  bool yes = false;                    ///< nobody is asked
  bool progress = false;               ///< a progress line also where standard error is no terminal
  std::optional<std::chrono::milliseconds> timeout;
  int days = 7;                        ///< for how long restored files can be read
  std::string tier = "Standard";       ///< how fast they are restored: Standard, Bulk, Expedited
};

struct Invocation {
  Command command = Command::mount;
  Options options;
  AdminRequest admin;    ///< from Command::status on
  bool fake = false;     ///< mount(8) -f when called as mount.prefixfs: do everything but mount
  bool verbose = false;
};

/// `arguments` without argv[0]; `program` is argv[0]'s last component: "mount.prefixfs" and "mount.fuse.prefixfs" take mount(8)'s words
/// (SOURCE MOUNTPOINT [-sfnv] [-N ns] [-t type] [-o options], where -f means fake), anything else prefixfs's own: a mount, or a command about one
/// (usage.h has their table).
/// Settings: defaults < /etc/prefixfs/prefixfs.toml < environment where AWS names it (left to module aws) < -o words, later ones win.
/// Errors: invalid, unsupported (a known option whose feature is not built yet). The sentence names the option, what is allowed, and for an
/// unknown word the nearest known one; for a file also the line.
Result<Invocation> parse_invocation(const std::string& program, const std::vector<std::string>& arguments,
                                    const std::string& working_directory, const FileReader& files);

/// Where this mount keeps its files when cache_dir is not given: /var/lib/prefixfs/<name> for root, otherwise
/// $XDG_STATE_HOME or ~/.local/state + /prefixfs/<name>; <name> is made of bucket, prefix and mountpoint, so that two mounts never share.
Result<std::string> default_cache_dir(const Options& options, bool is_root, const Environment& environment);

/// Where a running mount is entered, so that the commands find its cache directory: `mounts` beside the default cache directories.
Result<std::string> mounts_dir(bool is_root, const Environment& environment);

/// The text of --help: every option once, with its default.
std::string help_text();
/// prefixfs(8) for man(1), as roff: the same table of options, with what surrounds it. `version` stands in its footer.
std::string man_page_text(std::string_view version);

/// One row for each option word, for help, man page check, and parsing.
struct OptionRow {
  std::string name;
  std::string value;    ///< "URL", "close|journal"; empty for a flag
  std::string fallback; ///< the default, as shown
  std::string meaning;
  bool built = true;    ///< false: refused by name
};
const std::vector<OptionRow>& option_table();

/// "8M", "1.5GiB", "1024" -> bytes (K, M, G, T: powers of 1024). Errors: invalid.
Result<std::uint64_t> parse_size(std::string_view text);
/// "10", "10s", "500ms", "5m", "2h" -> milliseconds. Errors: invalid.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace prefixfs::config
