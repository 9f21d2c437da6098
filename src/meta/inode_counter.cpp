#include "inode_counter.h"

#include <algorithm>

#include "record.h"

namespace prefixfs::meta {

Result<InodeId> InodeCounter::next() {
  const std::lock_guard lock(mutex_);
  if (next_ == end_) {
    TRY(reserve());
  }
  return next_++;
}

Result<void> InodeCounter::reserve() {
  InodeId first = 0;
  TRY(journal_->write([&](Txn& txn) -> Result<void> {
    TRY_ASSIGN(const auto stored, txn.get(kInodeKey));
    const auto number = stored ? decode_number(*stored) : std::optional<std::uint64_t>(kRootInode + 1);
    if (!number || *number <= kRootInode) {
      return fail(Errc::corrupt, "the inode counter of the journal cannot be read; numbers must not be given twice, so nothing is made");
    }
    first = *number;
    return txn.put(kInodeKey, encode_number(first + batch_));
  }));
  next_ = first;
  end_ = first + batch_;
  batch_ = std::min(2 * batch_, kBatchMax);
  return {};
}

}  // namespace prefixfs::meta
