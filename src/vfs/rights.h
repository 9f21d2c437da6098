#pragma once

#include <atomic>

namespace prefixfs::vfs {

/// What the credentials turned out to allow. Learnt from answers, never assumed. Thread-safe.
class Rights {
 public:
  enum class Right { unknown, yes, no };
  Right list() const { return list_.load(); }
  bool may_list() const { return list_.load() != Right::no; }
  void set_list(bool allowed) { list_.store(allowed ? Right::yes : Right::no); }

 private:
  std::atomic<Right> list_{Right::unknown};
};

}  // namespace prefixfs::vfs
