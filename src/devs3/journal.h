#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "prefixfs/base/result.h"
#include "prefixfs/base/unique_fd.h"

namespace prefixfs::devs3 {

/// An append-only file of lines. Survives kill -9; nothing is synced, it is a test endpoint. Its owner locks.
class Journal {
 public:
  /// Opens or creates it and calls `line` for every complete line.
  static Result<Journal> open(std::filesystem::path path, const std::function<void(std::string_view)>& line);

  /// Appends whole lines in one write.
  Result<void> append(std::string_view lines);
  /// Whether so much of it is out of date that `live` lines should replace it.
  bool worth_rewriting(std::uint64_t live) const { return lines_ > 2 * live + 10'000; }
  /// Replaces the whole content, atomically.
  Result<void> rewrite(std::string_view content);

 private:
  Journal(std::filesystem::path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::filesystem::path path_;
  UniqueFd fd_;
  std::uint64_t lines_ = 0;
};

}  // namespace prefixfs::devs3
