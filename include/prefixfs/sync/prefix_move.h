#pragma once
// All objects below one prefix get another one: copies within S3, many at a time, then the removal of what was copied. S3 has no operation that
// does it at once, so other clients see the middle. (S3 API: ListObjectsV2, CopyObject, DeleteObjects.)

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "prefixfs/base/call_context.h"
#include "prefixfs/base/result.h"
#include "prefixfs/s3/object_store.h"
#include "prefixfs/telemetry/log.h"

namespace prefixfs::sync {

struct PrefixMoveOptions {
  std::size_t threads = 64;           ///< so many copies at a time
  std::size_t objects_max = 250'000;  ///< they are remembered until the end, some 100 bytes each
  std::size_t key_bytes_max = kKeyBytesMax;
  bool keep_acls = false;
};

struct MovedObject {
  std::string name;  ///< the key behind the prefix; empty: the marker of the directory itself
  std::uint64_t size = 0;
  ETag version;      ///< at the source
  ETag copy;         ///< at the destination; empty: not copied
  std::string storage_class;
  bool is_marker() const { return name.empty(); }
};

/// How far it is; may be read by any thread.
struct MoveProgress {
  std::atomic<std::uint64_t> objects{0};
  std::atomic<std::uint64_t> copied{0};
};

/// One thread uses it.
class PrefixMove {
 public:
  /// Both end with "/", and neither begins with the other. `progress` outlives it.
  PrefixMove(s3::ObjectStore& store, std::string source, std::string destination, const PrefixMoveOptions& options, MoveProgress& progress,
             Log& log);

  /// Learns what there is. `begun`: a former attempt may have copied a part; what is the same at the destination counts as its copy, and an object there
  /// that is another one is nobody's copy: copy() then fails with exists.
  /// Errors: unsupported (more than objects_max), name_too_long (a key would be), what S3 said.
  Result<void> list(bool begun, const CallContext& context);
  /// Errors: exists (another client has made a name at the destination meanwhile), what S3 said first of one of them; the rest is not begun then.
  Result<void> copy(const CallContext& context);
  /// Takes back what was copied. A marker that was at the destination before stays.
  Result<void> remove_copies(const CallContext& context);
  /// What was copied goes at the source; a version that another client has made there since stays, with a log line.
  Result<void> remove_sources(const CallContext& context);

  /// In the order of their keys.
  const std::vector<MovedObject>& objects() const { return objects_; }

 private:
  Result<void> each_page(const std::string& prefix, const std::function<Result<void>(const ObjectInfo&)>& take, const CallContext& context);
  Result<void> add(const ObjectInfo& object);
  Result<void> copy_one(MovedObject& object, const CallContext& context);
  Result<void> write_marker(MovedObject& object, const Grants& grants, const CallContext& context);
  Result<bool> look_again(MovedObject& object, const CallContext& context);
  Result<void> remove(const std::vector<s3::RemoveTarget>& targets, const CallContext& context);
  bool is_copy(const MovedObject& object, const ObjectInfo& there) const;

  s3::ObjectStore& store_;
  const std::string source_;
  const std::string destination_;
  const PrefixMoveOptions options_;
  MoveProgress& progress_;
  Log& log_;
  std::vector<MovedObject> objects_;
  bool marker_copied_ = false;
  std::string foreign_;  ///< a key at the destination that is no copy; empty: there is none
};

}  // namespace prefixfs::sync
