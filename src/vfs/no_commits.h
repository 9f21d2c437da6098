#pragma once

#include <mutex>

#include "open_file.h"

namespace prefixfs::vfs {

/// Keeps commits of one or two open files from running: they would write under a name that is about to go.
class NoCommits {
 public:
  explicit NoCommits(OpenFile& file) : file_(file.commit_mutex) {}
  NoCommits(OpenFile& file, OpenFile& other) : file_(file.commit_mutex, std::defer_lock), other_(other.commit_mutex, std::defer_lock) {
    std::lock(file_, other_);
  }

 private:
  std::unique_lock<std::mutex> file_;
  std::unique_lock<std::mutex> other_;
};

}  // namespace prefixfs::vfs
