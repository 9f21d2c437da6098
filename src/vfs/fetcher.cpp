#include "fetcher.h"

#include <algorithm>

namespace prefixfs::vfs {
namespace {

/// Fills the staged file as the body arrives, and wakes those who wait for it.
class FillSink final : public s3::GetSink {
 public:
  FillSink(Content& content, Room& room, ByteRange range, const ETag& version)
      : content_(content), room_(room), range_(range), version_(version) {}

  Result<void> begin(const s3::GetAnswer& answer) override {
    if (answer.range.begin != range_.begin) {
      return fail(Errc::corrupt, "S3 sent another range than the one asked for");
    }
    if (answer.info.etag != version_) {  // an endpoint that does not know If-Match
      return fail(Errc::conflict, "S3 sent another version than the one asked for");
    }
    position_ = range_.begin;
    const std::lock_guard lock(content_.mutex);
    if (!content_.info && content_.etag == version_) {
      content_.info = answer.info;
    }
    return {};
  }

  Result<void> accept(std::span<const std::byte> data) override {
    TRY(room_.with(data.size(), [&] { return fill(data); }));
    position_ += data.size();
    return {};
  }

 private:
  /// A commit may have ended while these bytes were on their way. Where it has stored others, and the cache has dropped them since, the gap
  /// is not one of this version any more.
  Result<void> fill(std::span<const std::byte> data) {
    const std::lock_guard lock(content_.mutex);
    if (content_.etag != version_) {
      return fail(Errc::stale, "this mount has stored another version while the one before was fetched");
    }
    TRY(content_.file->fill(position_, data));
    const ByteRange filled{position_, position_ + data.size()};
    if (std::ranges::any_of(content_.awaited, [&](const ByteRange& range) { return !range.intersect(filled).empty(); })) {
      content_.arrived.notify_all();
    }
    return {};
  }

  Content& content_;
  Room& room_;
  const ByteRange range_;
  const ETag version_;
  std::uint64_t position_ = 0;
};

/// A condition that failed, or an object that is gone, means for a reader: this version can no longer be had.
Error as_reader_sees(Error error) {
  if (error.code == Errc::conflict || error.code == Errc::not_found) {
    error.code = Errc::stale;
  }
  return error;
}

}  // namespace

Fetcher::~Fetcher() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return running_ == 0; });
}

Result<void> Fetcher::ensure(const std::shared_ptr<Content>& content, const std::function<Key()>& key, ByteRange needed, ByteRange now,
                             const std::vector<ByteRange>& ahead, const CallContext& context) {
  constexpr int kTries = 3;  // a commit or a rename of our own may pull version or key from under a fetch
  std::stop_callback wake(context.cancel, [&] {
    const std::lock_guard lock(content->mutex);
    content->arrived.notify_all();
  });
  const auto version = [&] {
    Key name = key();
    const std::lock_guard lock(content->mutex);
    return std::pair(std::move(name), content->etag);
  };
  const Pin pin(content, needed);
  const std::uint64_t behind = needed.begin - std::min(needed.begin, part_bytes_);  // of the reader, not of what is fetched ahead of it
  std::optional<FetchFailure> last;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    start(content, key, attempt == 0 ? now : needed, behind, Urgency::awaited, context);
    for (const ByteRange& part : attempt == 0 ? ahead : std::vector<ByteRange>{}) {
      start(content, key, part, behind, Urgency::ahead, context);
    }
    std::unique_lock lock(content->mutex);
    const auto settled = [&] {
      if (context.cancel.stop_requested()) {
        return true;
      }
      const auto gaps = content->file->missing(needed);
      // Nobody is bringing a byte that is needed: either all are there, or a fetch has failed.
      return std::ranges::none_of(gaps, [&](const ByteRange& gap) { return content->in_flight.intersects(gap); });
    };
    content->awaited.push_back(needed);
    content->arrived.wait(lock, settled);
    content->awaited.erase(std::ranges::find(content->awaited, needed));
    if (content->file->missing(needed).empty()) {
      return {};
    }
    if (context.cancel.stop_requested()) {
      return fail(Errc::cancelled, "the read was interrupted");
    }
    last = content->fetch_error;
    lock.unlock();
    if (last && (last->error.code != Errc::stale || version() == std::pair(last->key, last->etag))) {
      break;
    }
  }
  return last ? fail(last->error) : fail(Errc::internal, "a fetch ended without its bytes and without an error");
}

Result<void> Fetcher::ensure_all(const std::shared_ptr<Content>& content, const std::function<Key()>& key, const CallContext& context) {
  const std::uint64_t size = content->file->size();
  for (std::uint64_t begin = 0; begin < size; begin += part_bytes_) {
    const ByteRange part{begin, std::min(size, begin + part_bytes_)};
    const ByteRange next{part.end, std::min(size, part.end + part_bytes_)};
    TRY(ensure(content, key, part, part, {next}, context));
  }
  return {};
}

void Fetcher::start(const std::shared_ptr<Content>& content, const std::function<Key()>& key, ByteRange wanted, std::uint64_t behind, Urgency urgency,
                    const CallContext& context) {
  std::vector<ByteRange> ranges;
  ETag etag;
  {
    const std::lock_guard lock(content->mutex);
    etag = content->etag;
    for (const ByteRange& gap : content->file->missing(wanted)) {
      for (const ByteRange& free : content->in_flight.gaps(gap)) {
        content->in_flight.add(free);
        ranges.push_back(free);
      }
    }
    if (!ranges.empty()) {
      content->fetch_error.reset();
    }
  }
  const Key current = ranges.empty() ? Key() : key();
  for (const ByteRange& range : ranges) {
    // Clean bytes of files that nobody has open go first; then those of this file which lie behind the reader.
    room_.keep_limit(*content, range.length(), behind);
    {
      const std::lock_guard lock(mutex_);
      ++running_;
    }
    // Read-ahead goes on when the reader is interrupted, so the deadline is kept, the cancellation is not.
    auto fetch = [this, held = content, current, etag, range, context = CallContext{context.deadline, {}}]() mutable {
      run(held, current, etag, range, context);
      held.reset();  // before the last sign of life: nothing of this fetch outlives the Fetcher
      const std::lock_guard lock(mutex_);
      --running_;
      idle_.notify_all();
    };
    pool_.submit(std::move(fetch), urgency);
  }
}

void Fetcher::run(const std::shared_ptr<Content>& content, const Key& key, const ETag& etag, ByteRange range, const CallContext& context) {
  FillSink sink(*content, room_, range, etag);
  const auto answer = store_.get(key, {.range = range, .if_match = etag, .if_none_match = {}}, sink, context);
  const std::lock_guard lock(content->mutex);
  content->in_flight.remove(range);
  if (!answer) {
    content->fetch_error = FetchFailure{as_reader_sees(answer.error()), key, etag};
  }
  content->arrived.notify_all();
}

}  // namespace prefixfs::vfs
