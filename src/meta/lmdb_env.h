#pragma once
// LMDB behind RAII and Result. One environment, its read and write transactions, and a map that grows when it is full.

#include <lmdb.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "prefixfs/base/result.h"

namespace prefixfs::meta {

/// no_space (map or disk full), corrupt (not an environment, or torn), denied, else io.
Error lmdb_error(int code, std::string_view action, const std::string& path);

/// A transaction. Views of keys and values die with it, or with the next change in it.
class Txn {
 public:
  Txn(Txn&&) = delete;
  ~Txn();
  Result<std::optional<std::string_view>> get(std::string_view key);
  Result<void> put(std::string_view key, std::string_view value);
  /// False: it was not there.
  Result<bool> erase(std::string_view key);

 private:
  friend class LmdbEnv;
  friend class Cursor;
  Txn(const std::string& path, MDB_txn* txn, MDB_dbi dbi) : path_(path), txn_(txn), dbi_(dbi) {}
  Result<void> commit();
  /// Notes a full map, so that the write path knows why the change failed.
  Error failed(int code, std::string_view action);

  const std::string& path_;
  MDB_txn* txn_;
  MDB_dbi dbi_;
  bool map_full_ = false;
};

class Cursor {
 public:
  static Result<Cursor> open(Txn& txn);
  /// At the first key that is `key` or greater; false: there is none.
  Result<bool> seek(std::string_view key);
  Result<bool> next();
  std::string_view key() const { return {static_cast<const char*>(key_.mv_data), key_.mv_size}; }
  std::string_view value() const { return {static_cast<const char*>(value_.mv_data), value_.mv_size}; }

 private:
  struct Close {
    void operator()(MDB_cursor* cursor) const { mdb_cursor_close(cursor); }
  };
  Cursor(Txn& txn, MDB_cursor* cursor) : txn_(&txn), cursor_(cursor) {}
  Result<bool> move(std::string_view key, MDB_cursor_op operation);

  Txn* txn_;
  std::unique_ptr<MDB_cursor, Close> cursor_;
  MDB_val key_{};
  MDB_val value_{};
};

struct EnvOptions {
  std::string directory;  ///< made with mode 0700 where missing
  std::uint64_t map_bytes = 0;
  std::uint64_t map_bytes_max = 64ULL << 30;
  unsigned flags = 0;     ///< besides MDB_NOTLS, which is always set
};

/// Thread-safe. A directory must not be opened twice in one process (LMDB's rule: the file locks are per process).
class LmdbEnv {
 public:
  static Result<std::unique_ptr<LmdbEnv>> open(const EnvOptions& options);
  LmdbEnv(const LmdbEnv&) = delete;

  /// Runs `look` in a read transaction. It copies out what it needs and is short: LMDB frees no page that an open reader could still see.
  Result<void> read(const std::function<Result<void>(Txn&)>& look);
  /// Runs `change` in the one write transaction there may be at a time, and commits. When the map is full it grows and `change` runs again,
  /// so that it must not depend on what a former run has left outside of the environment.
  Result<void> write(const std::function<Result<void>(Txn&)>& change);
  /// Brings all to the disk, also with MDB_NOSYNC.
  Result<void> sync();
  std::uint64_t map_bytes() const;
  /// What has been read of the file counts as memory of this process as long as it is mapped. From now on only what is read again does.
  void give_back_memory();

 private:
  struct Close {
    void operator()(MDB_env* env) const { mdb_env_close(env); }
  };
  LmdbEnv(EnvOptions options, std::unique_ptr<MDB_env, Close> env) : options_(std::move(options)), env_(std::move(env)) {}
  /// One try. True: done; false: the map was full, nothing has changed.
  Result<bool> try_write(const std::function<Result<void>(Txn&)>& change);
  Result<void> grow();

  EnvOptions options_;
  std::unique_ptr<MDB_env, Close> env_;
  MDB_dbi dbi_ = 0;
  std::mutex writer_;            ///< one writer at a time; taken before active_
  std::shared_mutex active_;     ///< shared by every open transaction; alone while the map grows (lmdb.h, mdb_env_set_mapsize)
};

}  // namespace prefixfs::meta
