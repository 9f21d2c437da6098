#include "open_meta.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "cache_state.h"
#include "counter.h"
#include "lmdb_fact_store.h"
#include "lmdb_file_check.h"
#include "lmdb_journal.h"
#include "lmdb_node_cache.h"
#include "prefixfs/base/unique_fd.h"
#include "record.h"

namespace prefixfs::meta {

namespace {

constexpr std::string_view kFormatKey = "mformat";
constexpr std::string_view kSourceKey = "msource";

std::string read_boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  in >> id;
  return id;
}

/// Signs a new journal; refuses one that was made for something else.
Result<void> claim_journal(LmdbEnv& journal, const MetaOptions& options) {
  return journal.write([&](Txn& txn) -> Result<void> {
    TRY_ASSIGN(const auto format, txn.get(kFormatKey));
    TRY_ASSIGN(const auto source, txn.get(kSourceKey));
    if (!format && !source) {
      TRY(txn.put(kFormatKey, std::string(1, kJournalFormat)));
      return txn.put(kSourceKey, options.source);
    }
    if (!format || !source || format->size() != 1 || (*format)[0] == 0) {
      return fail(Errc::corrupt, fmt::format("{}/journal lacks its format number and is left as it is; choose another cache_dir, or move this one away", options.directory));
    }
    if (static_cast<unsigned char>((*format)[0]) > kJournalFormat) {
      return fail(Errc::invalid, fmt::format("{}/journal is of a newer version of prefixfs; mount with that one, or choose another cache_dir", options.directory));
    }
    const bool older = (*format)[0] != kJournalFormat;
    if (*source != options.source) {
      TRY_ASSIGN(const auto inodes, txn.get(kInodeNumbers.key));
      TRY_ASSIGN(const auto intents, txn.get(kIntentNumbers.key));
      if (inodes || intents) {
        return fail(Errc::invalid, fmt::format("{} belongs to \"{}\", not to \"{}\"; choose another cache_dir", options.directory, *source,
                                               options.source));
      }
      TRY(txn.put(kSourceKey, options.source));  // nothing was ever known of that source: its name or endpoint was a slip
    }
    // An older format is a part of the present one; signed anew, it is refused by a prefixfs that would not see the intents in it.
    return older ? txn.put(kFormatKey, std::string(1, kJournalFormat)) : Result<void>();
  });
}

Result<void> throw_away(const std::string& directory) {
  std::error_code error;
  std::filesystem::remove_all(directory, error);
  if (error) {
    return fail(Errc::io, fmt::format("cannot remove {}: {}", directory, error.message()));
  }
  return {};
}

Result<void> sync_directory(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd && ::fsync(fd.get()) == 0 ? Result<void>() : fail(lmdb_error(errno, "sync", path));
}

/// It gets its name once it is whole and synced: one that a power loss has left half made could not be told from one that was damaged.
Result<void> make_journal(const std::string& path, const MetaOptions& options) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) {
    return check_lmdb_file(path);
  }
  const std::string unfinished = path + ".new";
  TRY(throw_away(unfinished));
  {
    TRY_ASSIGN(const std::unique_ptr<LmdbEnv> made, LmdbEnv::open({.directory = unfinished, .map_bytes = options.journal_map_bytes}));
    TRY(claim_journal(*made, options));
  }
  TRY(sync_directory(unfinished));
  if (::rename(unfinished.c_str(), path.c_str()) != 0) {
    return fail(lmdb_error(errno, "make", path));
  }
  return sync_directory(options.directory);
}

Result<std::unique_ptr<LmdbEnv>> open_cache(LmdbEnv& journal, const MetaOptions& options, const std::string& boot_id) {
  const std::string directory = options.directory + "/cache";
  // NOSYNC: a power loss may tear it, which the state in the journal tells. NORDAHEAD: reads are small and at random.
  const EnvOptions env{.directory = directory, .map_bytes = options.cache_map_bytes, .flags = MDB_NOSYNC | MDB_NORDAHEAD};
  TRY_ASSIGN(const CacheState state, read_cache_state(journal));
  if (!trustworthy(state, boot_id)) {
    TRY(throw_away(directory));
  }
  TRY(write_cache_state(journal, {kCacheFormat, false, boot_id}));
  auto opened = LmdbEnv::open(env);
  if (!opened && opened.error().code == Errc::corrupt) {
    TRY(throw_away(directory));
    opened = LmdbEnv::open(env);
  }
  return opened;
}

}  // namespace

MetaStore::MetaStore() = default;
MetaStore::MetaStore(MetaStore&&) noexcept = default;
MetaStore& MetaStore::operator=(MetaStore&&) noexcept = default;
MetaStore::~MetaStore() = default;

Result<MetaStore> open_meta(const MetaOptions& options, const std::string& boot_id) {
  const std::string path = options.directory + "/journal";
  TRY(make_journal(path, options));
  TRY_ASSIGN(std::unique_ptr<LmdbEnv> opened, LmdbEnv::open({.directory = path, .map_bytes = options.journal_map_bytes}));
  const std::shared_ptr<LmdbEnv> journal = std::move(opened);
  TRY(claim_journal(*journal, options));
  TRY_ASSIGN(std::unique_ptr<LmdbEnv> cache, open_cache(*journal, options, boot_id));
  MetaStore store;
  store.nodes = std::make_unique<LmdbNodeCache>(std::move(cache), journal, boot_id);
  store.facts = std::make_unique<LmdbFactStore>(journal);
  store.journal = std::make_unique<LmdbJournal>(journal);
  return store;
}

Result<MetaStore> open_meta(const MetaOptions& options, const Clock& /*clock*/) { return open_meta(options, read_boot_id()); }

}  // namespace prefixfs::meta
