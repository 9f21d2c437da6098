#include "rights.h"

#include <algorithm>
#include <array>
#include <utility>

namespace prefixfs::vfs {
namespace {

constexpr std::array kPauses{std::chrono::seconds(5), std::chrono::seconds(30), std::chrono::seconds(300), std::chrono::seconds(3600)};

}  // namespace

bool Rights::may_list() const {
  const std::lock_guard lock(mutex_);
  return refusals_ == 0 || clock_.steady() >= next_try_;
}

bool Rights::list_was_refused() const {
  const std::lock_guard lock(mutex_);
  return refusals_ > 0;
}

bool Rights::learn_list(bool allowed) {
  const std::lock_guard lock(mutex_);
  if (allowed) {
    return std::exchange(refusals_, 0) > 0;
  }
  // Several lookups may have tried at the same moment, and ls tries during a pause too: they count once.
  if (refusals_ == 0 || clock_.steady() >= next_try_) {
    next_try_ = clock_.steady() + kPauses[std::min(refusals_, kPauses.size() - 1)];
    return ++refusals_ == 1;
  }
  return false;
}

}  // namespace prefixfs::vfs
