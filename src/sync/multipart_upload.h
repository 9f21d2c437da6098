#pragma once
// One multipart upload of one staged file: which parts there are, which of them S3 has as they are now, and the sending of the rest.

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "prefixfs/base/worker_pool.h"
#include "prefixfs/s3/object_store.h"
#include "prefixfs/stage/staged_file.h"
#include "prefixfs/sync/upload_plan.h"
#include "prefixfs/telemetry/log.h"

namespace prefixfs::sync {

struct MultipartTarget {
  Key key;
  s3::ObjectHeaders headers;
  ETag base_etag;  ///< of the version that stored parts are copied from
};

/// Somebody has aborted the upload, or it has expired (S3 API, "Error responses": NoSuchUpload).
bool is_upload_gone(const Error& error);

/// Thread-safe. Tasks of the pool hold it by shared_ptr, never wait, and may run after cancel(): they find nothing to do then.
/// Whoever owns it ends it by complete() or abort(); between the last call of the owner and the end of the last task nothing is sent.
class MultipartUpload : public std::enable_shared_from_this<MultipartUpload> {
 public:
  MultipartUpload(s3::ObjectStore& store, WorkerPool& pool, const Clock& clock, Log& log, std::shared_ptr<stage::StagedFile> file,
                  MultipartTarget target, std::size_t in_flight_max);

  /// On this thread.
  Result<void> create(const CallContext& context);
  /// By the pool; parts that are due wait for it. An error shows in wait().
  void create_in_background();

  /// Behind the last one; not sent before send().
  void add_part(const PlannedPart& part);
  std::size_t parts() const;
  std::uint64_t end() const;

  /// Queues every part from `first` on that S3 does not have as it is now; errors of their former tries are forgotten.
  /// Calls to the store end at the deadline; once the context is cancelled no further one begins.
  void send(std::size_t first, const CallContext& context);
  /// Until nothing is queued or being sent, whatever became of the parts. Errors: the upload could not be created, is gone or was
  /// cancelled;
  /// timeout, cancelled.
  Result<void> drain(const CallContext& context);
  /// The same, and the first error of a part ends the wait at once. A part that was overtaken by a write is no error: see state().
  Result<void> wait(const CallContext& context);

  /// What remains to be sent at one moment of the file.
  struct State {
    stage::Moment moment;
    bool current = false;         ///< S3 has every part as of `moment`, and they make up the whole file
    bool layout_holds = false;    ///< false: another size, or a copied range was written to; only a new plan helps
    bool sent_once = false;       ///< every part, as of some moment
  };
  State state();

  Result<s3::PutAnswer> complete(const s3::WriteCondition& condition, const CallContext& context);
  /// Nothing more is begun; calls that run are cancelled.
  void cancel();
  /// Cancels, waits for the calls that run, and aborts the upload with a time of its own. Blocks.
  void abort();
  /// The same without blocking: what runs last aborts.
  void abort_in_background();

  const MultipartTarget& target() const { return target_; }

 private:
  struct Part {
    PlannedPart plan;
    std::uint64_t changes = 0;                  ///< grows with every write into it
    std::optional<std::uint64_t> sent_changes;  ///< `changes` of what S3 has
    s3::UploadedPart uploaded;
    bool sent_once = false;
    bool queued = false;                        ///< or being sent
  };

  // With mutex_ held:
  void absorb_touched(const std::vector<ByteRange>& touched);
  void start_tasks();
  bool current(const Part& part) const { return part.sent_changes == part.changes; }
  bool idle() const { return running_ == 0 && queue_.empty() && !create_wanted_; }
  void clear_queue();
  void fail_upload(Error error);
  /// At the end of a task's work.
  void leave();

  Result<void> wait_until_idle(const CallContext& context, bool stop_at_part_error);
  void run_one();
  void run_create();
  void run_abort();
  Result<s3::UploadedPart> send_part(std::size_t index, const PlannedPart& plan, SteadyTime deadline);
  void finish_part(std::size_t index, std::uint64_t changes, Result<s3::UploadedPart> sent);
  void abort_upload(const s3::UploadId& id);

  s3::ObjectStore& store_;
  WorkerPool& pool_;
  const Clock& clock_;
  Log& log_;
  const std::shared_ptr<stage::StagedFile> file_;
  const MultipartTarget target_;
  const std::size_t in_flight_max_;
  std::stop_source stop_;

  mutable std::mutex mutex_;  ///< taken before the file's own lock, never held over a call of the store
  std::condition_variable_any changed_;
  s3::UploadId id_;
  std::vector<Part> parts_;
  std::deque<std::size_t> queue_;
  CallContext sender_;       ///< of the last send()
  std::size_t tasks_ = 0;    ///< given to the pool and not ended
  std::size_t running_ = 0;  ///< of those, within a call of the store
  bool create_wanted_ = false;
  bool abort_when_idle_ = false;
  bool cancelled_ = false;
  std::optional<Error> error_;       ///< of the upload as a whole
  std::optional<Error> part_error_;  ///< the first since the last send()
};

}  // namespace prefixfs::sync
