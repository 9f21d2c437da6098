#pragma once
// Makes an object of a staged file. One FileUpload belongs to one file that is open for writing; it may start sending parts while
// the program still writes.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "prefixfs/base/clock.h"
#include "prefixfs/base/worker_pool.h"
#include "prefixfs/s3/object_store.h"
#include "prefixfs/stage/staged_file.h"
#include "prefixfs/sync/upload_plan.h"
#include "prefixfs/telemetry/log.h"

namespace prefixfs::sync {

struct UploadTarget {
  Key key;
  s3::ObjectHeaders headers;
  s3::WriteCondition condition;
  ETag base_etag;  ///< of the version whose unchanged ranges may be copied; empty: none may
};

struct Committed {
  ETag etag;
  std::uint64_t size = 0;
  std::uint64_t change_count = 0;  ///< of the staged file: the state which is stored now
  /// The headers that the object carries: those of the target, or, when parts were sent early, those of the moment when the upload
  /// was created. The caller compares, and mends by a copy onto itself where they differ in what matters.
  s3::ObjectHeaders headers;
};

/// Fetches `ranges` of the base version into the staged file; given by vfs, since it knows the version and its cache.
using FillRanges = std::function<Result<void>(const std::vector<ByteRange>& ranges, const CallContext& context)>;

struct UploaderOptions {
  PlanLimits limits;
  std::size_t parts_in_flight_per_file = 8;
};

class FileUpload {
 public:
  virtual ~FileUpload() = default;  ///< aborts an open multipart upload

  /// The program has written `range`, and the writer has moved on in order from offset 0 to `sequential_end`. Once more than a part is
  /// written, whole parts behind it are sent in the background. Never blocks, but while parts_in_flight_per_file are on their way
  /// it does nothing more. Only for files without a base. Errors show up in commit().
  virtual void wrote(ByteRange range, std::uint64_t sequential_end, const UploadTarget& target) = 0;
  /// Parts sent early no longer hold (truncate): the upload is aborted, and commit() sends the whole.
  virtual void abandon() = 0;

  /// Returns when the object holds the bytes of the staged file as of some state not older than the call, or with the error; then
  /// nothing has changed in the bucket (or, for an answer that was lost, nothing that would harm), no upload is left open, and the staged
  /// file
  /// still is `changed`. One commit at a time.
  /// Errors: those of ObjectStore::put and complete_upload, those of `fill`, too_large, and busy (written to so fast that no whole state
  /// could be sent).
  virtual Result<Committed> commit(const UploadTarget& target, const FillRanges& fill, const CallContext& context) = 0;
};

/// Thread-safe. `store` and `log` outlive the pool, since its last tasks may still use them; the pool outlives every FileUpload.
class Uploader {
 public:
  Uploader(s3::ObjectStore& store, WorkerPool& pool, const UploaderOptions& options, const Clock& clock, Log& log);
  std::unique_ptr<FileUpload> start(std::shared_ptr<stage::StagedFile> file);

 private:
  s3::ObjectStore& store_;
  WorkerPool& pool_;
  UploaderOptions options_;
  const Clock& clock_;
  Log& log_;
};

}  // namespace prefixfs::sync
