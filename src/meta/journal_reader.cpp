// The journal as somebody sees it who does not own it.

#include <fmt/format.h>
#include <sys/stat.h>

#include "intent_record.h"
#include "lmdb_env.h"
#include "prefixfs/meta/journal.h"

namespace prefixfs::meta {
namespace {

struct CloseEnv {
  void operator()(MDB_env* env) const { mdb_env_close(env); }
};
struct AbortTxn {
  void operator()(MDB_txn* txn) const { mdb_txn_abort(txn); }
};

JournalContents collect(MDB_cursor* cursor) {
  JournalContents contents;
  std::string first(1, kIntentLetter);
  MDB_val key{first.size(), first.data()};
  MDB_val value{};
  for (int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE); code == 0; code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
    const std::string_view name(static_cast<const char*>(key.mv_data), key.mv_size);
    if (!name.starts_with(kIntentLetter)) {
      break;
    }
    if (auto intent = decode_intent(name, {static_cast<const char*>(value.mv_data), value.mv_size})) {
      contents.intents.push_back(std::move(*intent));
    } else {
      contents.damaged.push_back(fmt::format("a record of {} bytes cannot be read", value.mv_size));
    }
  }
  return contents;
}

}  // namespace

Result<JournalContents> read_journal(const std::string& directory) {
  const std::string path = directory + "/journal";
  struct stat status {};
  if (::stat((path + "/data.mdb").c_str(), &status) != 0) {
    return errno == ENOENT ? fail(Errc::not_found, path + " does not exist") : fail(lmdb_error(errno, "look at", path));
  }
  MDB_env* raw = nullptr;
  if (const int code = mdb_env_create(&raw); code != 0) {
    return fail(lmdb_error(code, "open", path));
  }
  const std::unique_ptr<MDB_env, CloseEnv> env(raw);
  MDB_txn* begun = nullptr;
  int code = mdb_env_open(raw, path.c_str(), MDB_RDONLY | MDB_NOTLS, 0600);
  code = code != 0 ? code : mdb_txn_begin(raw, nullptr, MDB_RDONLY, &begun);
  if (code != 0) {
    return fail(lmdb_error(code, "read", path));
  }
  const std::unique_ptr<MDB_txn, AbortTxn> txn(begun);
  MDB_dbi dbi = 0;
  MDB_cursor* cursor = nullptr;
  code = mdb_dbi_open(begun, nullptr, 0, &dbi);
  code = code != 0 ? code : mdb_cursor_open(begun, dbi, &cursor);
  if (code != 0) {
    return fail(lmdb_error(code, "read", path));
  }
  JournalContents contents = collect(cursor);
  mdb_cursor_close(cursor);
  return contents;
}

}  // namespace prefixfs::meta
