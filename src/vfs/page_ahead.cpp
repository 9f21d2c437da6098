#include "page_ahead.h"

namespace prefixfs::vfs {

PageAhead::PageAhead(s3::ObjectStore& store, s3::ListOptions options, WallTime asked)
    : asked_(asked), asking_([this, &store, options = std::move(options)](std::stop_token given_up) {
        auto answer = store.list(options, {.cancel = std::move(given_up)});
        const std::lock_guard lock(mutex_);
        answer_ = std::move(answer);
        come_.notify_all();
      }) {}

Result<s3::ListPage> PageAhead::take(const CallContext& context) {
  std::unique_lock lock(mutex_);
  if (!come_.wait(lock, context.cancel, [this] { return answer_.has_value(); })) {
    return fail(Errc::cancelled, "a listing was interrupted");
  }
  return std::move(*answer_);
}

}  // namespace prefixfs::vfs
