#include "counter.h"

#include <fmt/format.h>

#include <algorithm>

#include "record.h"

namespace prefixfs::meta {

Result<std::uint64_t> Counter::next() {
  const std::lock_guard lock(mutex_);
  if (next_ == end_) {
    TRY(reserve());
  }
  return next_++;
}

Result<void> Counter::reserve() {
  std::uint64_t first = 0;
  TRY(journal_->write([&](Txn& txn) -> Result<void> {
    TRY_ASSIGN(const auto stored, txn.get(numbers_.key));
    const auto number = stored ? decode_number(*stored) : std::optional<std::uint64_t>(numbers_.first);
    if (!number || *number < numbers_.first) {
      return fail(Errc::corrupt, fmt::format("the journal's counter of {} cannot be read; they must not be given twice, so none is given", numbers_.what));
    }
    first = *number;
    return txn.put(numbers_.key, encode_number(first + batch_));
  }));
  next_ = first;
  end_ = first + batch_;
  batch_ = std::min(2 * batch_, kBatchMax);
  return {};
}

}  // namespace prefixfs::meta
