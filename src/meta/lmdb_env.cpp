#include "lmdb_env.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "mapped_file.h"

namespace prefixfs::meta {

namespace {

constexpr unsigned kReadersMax = 1024;

Errc code_of(int code) {
  switch (code) {
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
      return Errc::no_space;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
      return Errc::corrupt;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::denied;
    default:
      return Errc::io;
  }
}

const char* remedy(int code) {
  switch (code) {
    case MDB_PANIC: return "; the disk has failed in the middle of a change, and nothing is written here until the next mount";
    case EACCES:
    case EPERM:
    case EROFS: return "; choose another cache_dir, or let this user write there";
    case ENOSPC:
    case EDQUOT: return "; free space there, or choose a cache_dir on another disk";
    default: return "";
  }
}

MDB_val val(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }

}  // namespace

Error lmdb_error(int code, std::string_view action, const std::string& path) {
  return Error{code_of(code), fmt::format("cannot {} {}: {}{}", action, path, mdb_strerror(code), remedy(code)), {}};
}

// ---- transactions ----

Txn::~Txn() {
  if (txn_ != nullptr) {
    mdb_txn_abort(txn_);
  }
}

Error Txn::failed(int code, std::string_view action) {
  map_full_ = map_full_ || code == MDB_MAP_FULL;
  return lmdb_error(code, action, path_);
}

Result<std::optional<std::string_view>> Txn::get(std::string_view key) {
  MDB_val k = val(key);
  MDB_val v{};
  const int code = mdb_get(txn_, dbi_, &k, &v);
  if (code == MDB_NOTFOUND) {
    return std::optional<std::string_view>{};
  }
  if (code != 0) {
    return fail(failed(code, "read"));
  }
  return std::optional(std::string_view(static_cast<const char*>(v.mv_data), v.mv_size));
}

Result<void> Txn::put(std::string_view key, std::string_view value) {
  MDB_val k = val(key);
  MDB_val v = val(value);
  if (const int code = mdb_put(txn_, dbi_, &k, &v, 0); code != 0) {
    return fail(failed(code, "write to"));
  }
  return {};
}

Result<bool> Txn::erase(std::string_view key) {
  MDB_val k = val(key);
  const int code = mdb_del(txn_, dbi_, &k, nullptr);
  if (code != 0 && code != MDB_NOTFOUND) {
    return fail(failed(code, "write to"));
  }
  return code == 0;
}

Result<void> Txn::commit() {
  if (const int code = mdb_txn_commit(std::exchange(txn_, nullptr)); code != 0) {
    return fail(failed(code, "commit to"));
  }
  return {};
}

// ---- cursors ----

Result<Cursor> Cursor::open(Txn& txn) {
  MDB_cursor* cursor = nullptr;
  if (const int code = mdb_cursor_open(txn.txn_, txn.dbi_, &cursor); code != 0) {
    return fail(txn.failed(code, "read"));
  }
  return Cursor(txn, cursor);
}

Result<bool> Cursor::seek(std::string_view key) { return move(key, MDB_SET_RANGE); }

Result<bool> Cursor::next() { return move({}, MDB_NEXT); }

Result<bool> Cursor::move(std::string_view key, MDB_cursor_op operation) {
  key_ = val(key);
  const int code = mdb_cursor_get(cursor_.get(), &key_, &value_, operation);
  if (code == MDB_NOTFOUND) {
    return false;
  }
  if (code != 0) {
    return fail(txn_->failed(code, "read"));
  }
  return true;
}

// ---- the environment ----

Result<std::unique_ptr<LmdbEnv>> LmdbEnv::open(const EnvOptions& options) {
  const std::string& path = options.directory;
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(lmdb_error(errno, "make directory", path));
  }
  MDB_env* raw = nullptr;
  if (const int code = mdb_env_create(&raw); code != 0) {
    return fail(lmdb_error(code, "open", path));
  }
  std::unique_ptr<MDB_env, Close> env(raw);
  int code = mdb_env_set_mapsize(raw, options.map_bytes);
  code = code != 0 ? code : mdb_env_set_maxreaders(raw, kReadersMax);
  code = code != 0 ? code : mdb_env_open(raw, path.c_str(), options.flags | MDB_NOTLS, 0600);
  int dead_readers = 0;
  code = code != 0 ? code : mdb_reader_check(raw, &dead_readers);
  MDB_txn* txn = nullptr;
  code = code != 0 ? code : mdb_txn_begin(raw, nullptr, 0, &txn);
  if (code != 0) {
    return fail(lmdb_error(code, "open", path));
  }
  auto made = std::unique_ptr<LmdbEnv>(new LmdbEnv(options, std::move(env)));
  code = mdb_dbi_open(txn, nullptr, 0, &made->dbi_);
  if (code != 0) {
    mdb_txn_abort(txn);
  } else {
    code = mdb_txn_commit(txn);
  }
  if (code != 0) {
    return fail(lmdb_error(code, "open", path));
  }
  return made;
}

void LmdbEnv::give_back_memory() {
  const std::shared_lock active(active_);
  int descriptor = -1;
  if (mdb_env_get_fd(env_.get(), &descriptor) != 0) {
    return;
  }
  for (const std::span<std::byte> mapped : mappings_of(descriptor)) {
    // Nothing is lost: the mapping is shared, and the page cache has what is not on the disk yet. Another thread that reads has its page mapped again.
    ::madvise(mapped.data(), mapped.size(), MADV_DONTNEED);
  }
}

Result<void> LmdbEnv::read(const std::function<Result<void>(Txn&)>& look) {
  const std::shared_lock active(active_);
  MDB_txn* raw = nullptr;
  if (const int code = mdb_txn_begin(env_.get(), nullptr, MDB_RDONLY, &raw); code != 0) {
    return fail(lmdb_error(code, "read", options_.directory));
  }
  Txn txn(options_.directory, raw, dbi_);
  return look(txn);
}

Result<void> LmdbEnv::write(const std::function<Result<void>(Txn&)>& change) {
  const std::lock_guard writer(writer_);
  while (true) {
    TRY_ASSIGN(const bool done, try_write(change));
    if (done) {
      return {};
    }
    TRY(grow());
  }
}

Result<bool> LmdbEnv::try_write(const std::function<Result<void>(Txn&)>& change) {
  const std::shared_lock active(active_);
  MDB_txn* raw = nullptr;
  if (const int code = mdb_txn_begin(env_.get(), nullptr, 0, &raw); code != 0) {
    return fail(lmdb_error(code, "write to", options_.directory));
  }
  Txn txn(options_.directory, raw, dbi_);
  Result<void> outcome = change(txn);
  if (outcome) {
    outcome = txn.commit();
  }
  if (!outcome && txn.map_full_) {
    return false;
  }
  TRY(std::move(outcome));
  return true;
}

Result<void> LmdbEnv::grow() {
  const std::unique_lock alone(active_);
  MDB_envinfo info{};
  mdb_env_info(env_.get(), &info);
  const std::uint64_t wanted = std::min<std::uint64_t>(2 * info.me_mapsize, options_.map_bytes_max);
  if (wanted <= info.me_mapsize) {
    return fail(Errc::no_space, fmt::format("{} has reached its {} bytes", options_.directory, info.me_mapsize));
  }
  if (const int code = mdb_env_set_mapsize(env_.get(), wanted); code != 0) {
    return fail(lmdb_error(code, "grow", options_.directory));
  }
  return {};
}

Result<void> LmdbEnv::sync() {
  const std::shared_lock active(active_);
  if (const int code = mdb_env_sync(env_.get(), 1); code != 0) {
    return fail(lmdb_error(code, "sync", options_.directory));
  }
  return {};
}

std::uint64_t LmdbEnv::map_bytes() const {
  MDB_envinfo info{};
  mdb_env_info(env_.get(), &info);
  return info.me_mapsize;
}

}  // namespace prefixfs::meta
