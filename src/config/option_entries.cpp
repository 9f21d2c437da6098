#include "option_entries.h"

#include <fmt/format.h>

#include <filesystem>

#include "option_values.h"

namespace prefixfs::config {
namespace {

using std::chrono::milliseconds;

/// A member that holds a checked text.
template <std::string Options::*member, Result<std::string> (*parse)(const std::string&)>
Result<void> set_checked(const OptionValue& value, Options& options) {
  TRY_ASSIGN(options.*member, parse(value.text));
  return {};
}

template <std::string Options::*member>
Result<void> set_text(const OptionValue& value, Options& options) {
  options.*member = value.text;
  return {};
}

template <std::string Options::*member>
Result<void> set_path(const OptionValue& value, Options& options) {
  options.*member = absolute_path(value.text, value.working_directory);
  return {};
}

template <bool Options::*member, bool on = true>
Result<void> set_flag(const OptionValue& value, Options& options) {
  options.*member = (value.text == "true") == on;
  return {};
}

template <auto Options::*member, std::uint64_t min, std::uint64_t max>
Result<void> set_size(const OptionValue& value, Options& options) {
  TRY_ASSIGN(const std::uint64_t bytes, parse_size(value.text));
  if (bytes < min || bytes > max) {
    return fail(Errc::invalid, fmt::format("it must be from {} to {} bytes", min, max));
  }
  options.*member = bytes;
  return {};
}

Result<void> set_outage_timeout(const OptionValue& value, Options& options) {
  TRY_ASSIGN(options.outage_timeout, parse_duration(value.text));
  return {};
}

Result<void> set_ttl(const OptionValue& value, Options& options) {
  TRY_ASSIGN(options.freshness, parse_duration(value.text));
  options.coherence = Coherence::ttl;
  return {};
}

Result<void> set_coherence(const OptionValue& value, Options& options) {
  constexpr std::string_view kTtl = "ttl=";
  if (value.text.starts_with(kTtl)) {
    return set_ttl({value.text.substr(kTtl.size()), {}}, options);
  }
  TRY_ASSIGN(const std::string choice, parse_choice(value.text, {"open", "ttl", "ttl=N", "immutable"}));
  options.coherence = choice == "open" ? Coherence::open : choice == "immutable" ? Coherence::immutable : Coherence::ttl;
  return {};
}

Result<void> set_attrs(const OptionValue& value, Options& options) {
  TRY_ASSIGN(const std::string choice, parse_choice(value.text, {"listing", "exact"}));
  options.attrs = choice == "listing" ? Attrs::listing : Attrs::exact;
  return {};
}

Result<void> set_unlisted(const OptionValue& value, Options& options) {
  TRY_ASSIGN(const std::string choice, parse_choice(value.text, {"deny", "known"}));
  options.unlisted = choice == "deny" ? Unlisted::deny : Unlisted::known;
  return {};
}

Result<void> set_posix_metadata(const OptionValue& value, Options& options) {
  TRY_ASSIGN(const std::string choice, parse_choice(value.text, {"aws", "s3fs", "off"}));
  options.posix_metadata = choice == "aws" ? PosixMetadata::aws : choice == "s3fs" ? PosixMetadata::s3fs : PosixMetadata::off;
  return {};
}

Result<void> set_acls(const OptionValue& value, Options& options) {
  TRY_ASSIGN(const std::string choice, parse_choice(value.text, {"off", "keep"}));
  options.keep_acls = choice == "keep";
  return {};
}

Result<Acknowledge> parse_acknowledge(const OptionValue& value) {
  TRY_ASSIGN(const std::string choice, parse_choice(value.text, {"close", "journal"}));
  return choice == "journal" ? Acknowledge::journal : Acknowledge::s3;
}

Result<void> set_commit(const OptionValue& value, Options& options) {
  TRY_ASSIGN(options.commit, parse_acknowledge(value));
  return {};
}

Result<void> set_unlink(const OptionValue& value, Options& options) {
  TRY_ASSIGN(options.unlink, parse_acknowledge(value));
  return {};
}

Result<void> set_outage(const OptionValue& value, Options& options) {
  TRY_ASSIGN(const std::string choice, parse_choice(value.text, {"queue", "error"}));
  options.outage = choice == "queue" ? Outage::queue : Outage::error;
  return {};
}

Result<void> set_excl(const OptionValue& value, Options& options) {
  TRY_ASSIGN(const std::string choice, parse_choice(value.text, {"close", "open"}));
  options.excl_at_open = choice == "open";
  return {};
}

Result<void> set_locks(const OptionValue& value, Options& options) {
  TRY_ASSIGN(const std::string choice, parse_choice(value.text, {"local", "s3"}));
  options.locks = choice == "s3" ? LockScope::s3 : LockScope::local;
  return {};
}

Result<void> set_lock_lease(const OptionValue& value, Options& options) {
  constexpr std::chrono::seconds kMin{1};
  constexpr std::chrono::hours kMax{1};
  TRY_ASSIGN(options.lock_lease, parse_duration(value.text));
  if (options.lock_lease < kMin || options.lock_lease > kMax) {
    return fail(Errc::invalid, "it must be from 1s to 1h");
  }
  return {};
}

Result<void> set_uid(const OptionValue& value, Options& options) {
  TRY_ASSIGN(options.uid, parse_user(value.text));
  return {};
}

Result<void> set_gid(const OptionValue& value, Options& options) {
  TRY_ASSIGN(options.gid, parse_group(value.text));
  return {};
}

Result<void> set_umask(const OptionValue& value, Options& options) {
  TRY_ASSIGN(options.umask, parse_umask(value.text));
  return {};
}

Result<void> set_log_level(const OptionValue& value, Options& options) {
  TRY_ASSIGN(options.log_level, parse_choice(value.text, {"debug", "info", "warn", "error"}));
  return {};
}

Result<void> refuse_allow_root(const OptionValue&, Options&) {
  return fail(Errc::unsupported, "letting in root alone is not built; use allow_other, which lets in root and all other users");
}

constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr std::uint64_t kSizeMax = 1ULL << 60;
// S3 User Guide, "Amazon S3 multipart upload limits".
constexpr std::uint64_t kPartMin = 5 * kMiB;
constexpr std::uint64_t kPartMax = 5 * kGiB;

std::vector<OptionEntry> make_entries() {
  return {
      {{"endpoint", "URL", "AWS", "http[s]://HOST[:PORT] of another S3 service"}, set_checked<&Options::endpoint, parse_endpoint>},
      {{"region", "NAME", "learnt", "region to sign for; learnt from S3's first answer when not given"},
       set_checked<&Options::region, parse_region>},
      {{"path_style", "", "by host", "the bucket goes into the path of the URL; chosen by itself for IP addresses and localhost"},
       set_flag<&Options::path_style>},
      {{"profile", "NAME", "AWS_PROFILE", "profile of the shared AWS files"}, set_text<&Options::profile>},
      {{"cache_dir", "DIR", "by mount", "where this mount alone keeps its files"}, set_path<&Options::cache_dir>},
      {{"cache_size", "SIZE", "1G", "limit of cached bytes; 0 keeps and fetches ahead nothing"}, set_size<&Options::cache_size_bytes, 0, kSizeMax>},
      {{"stage_size", "SIZE", "10G", "limit of bytes that wait for their upload"}, set_size<&Options::stage_size_bytes, kMiB, kSizeMax>},
      {{"commit", "close|journal", "close", "when close() returns 0, the object is in S3, or it is safe on the local disk and follows"},
       set_commit},
      {{"outage", "queue|error", "queue", "what close() does after outage_timeout: keep the file in the journal and return 0, or EIO"}, set_outage},
      {{"outage_timeout", "TIME", "10s", "how long a call tries again while nothing moves to or from S3"}, set_outage_timeout},
      {{"coherence", "open|ttl=N|immutable", "open", "when S3 is asked again: at each open, after N, or never"}, set_coherence},
      {{"ttl", "TIME", "1s", "the same as coherence=ttl=TIME"}, set_ttl},
      {{"attrs", "listing|exact", "listing", "what ls -l shows: defaults until a file is looked up alone, or its own, by a HEAD"}, set_attrs},
      {{"excl", "close|open", "close", "when O_EXCL is settled between hosts: by close(), or by open() at the cost of one PUT more"}, set_excl},
      {{"locks", "local|s3", "local",
        "flock and fcntl locks hold on this host, or on all that mount the prefix so"}, set_locks},
      {{"lock_lease", "TIME", "30s", "so long the locks of a host hold that S3 does not hear of any more"}, set_lock_lease},
      {{"unlisted", "deny|known", "deny",
        "what ls shows where S3 does not allow listing: an error, or the names this host knows"}, set_unlisted},
      {{"unlink", "close|journal", "as commit", "when unlink() returns 0, the object is deleted, or that is in the journal and follows"},
       set_unlink},
      {{"posix_metadata", "aws|s3fs|off", "aws", "how mode, owner and times are written into user metadata"}, set_posix_metadata},
      {{"acls", "off|keep", "off", "whether what an object's ACL grants to others survives a change, for one request more"}, set_acls},
      {{"sse", "KIND", "AES256, or as it was", "encryption: AES256, aws:kms[:KEY], aws:kms:dsse, none"},
       set_checked<&Options::sse, parse_sse>},
      {{"storage_class", "NAME", "the bucket's, or as it was", "storage class of what is written"},
       set_checked<&Options::storage_class, parse_storage_class>},
      {{"part_size", "SIZE", "8M", "part of a multipart upload, 5M to 5G"}, set_size<&Options::part_size_bytes, kPartMin, kPartMax>},
      {{"size", "SIZE", "1P", "what df shows; used of it is what the cache directory holds"}, set_size<&Options::size_bytes, kMiB, kSizeMax>},
      {{"max_file_size", "SIZE", "none", "larger writes fail with EFBIG"}, set_size<&Options::max_file_size_bytes, 1, kSizeMax>},
      {{"uid", "USER", "the caller's", "owner of files that have none in their metadata; number or name"}, set_uid},
      {{"gid", "GROUP", "the caller's", "their group; number or name"}, set_gid},
      {{"umask", "OCTAL", "022", "bits taken from the mode of files that have none in their metadata"}, set_umask},
      {{"ro", "", "off", "nothing can be changed"}, set_flag<&Options::read_only>},
      {{"rw", "", "on", "the opposite of ro"}, set_flag<&Options::read_only, false>},
      {{"allow_other", "", "off", "other users may use the mount"}, set_flag<&Options::allow_other>},
      {{"allow_root", "", "", "not built; see allow_other", false}, refuse_allow_root},
      {{"check", "", "off", "wait for S3 at start, and fail when it cannot be used"}, set_flag<&Options::check>},
      {{"log_level", "debug|info|warn|error", "info", "the least important lines to log"}, set_log_level},
      {{"log_file", "FILE", "syslog", "log to this file; with -f the default is standard error"}, set_path<&Options::log_file>},
  };
}

}  // namespace

const std::vector<OptionEntry>& option_entries() {
  static const std::vector<OptionEntry> entries = make_entries();
  return entries;
}

const std::vector<OptionRow>& option_table() {
  static const std::vector<OptionRow> rows = [] {
    std::vector<OptionRow> made;
    for (const OptionEntry& entry : option_entries()) {
      made.push_back(entry.row);
    }
    return made;
  }();
  return rows;
}

std::string absolute_path(const std::string& path, const std::string& directory) {
  const auto whole = (std::filesystem::path(directory) / path).lexically_normal();
  return whole.has_filename() || whole == whole.root_path() ? whole.string() : whole.parent_path().string();
}

}  // namespace prefixfs::config
