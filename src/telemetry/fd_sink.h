#pragma once

#include <spdlog/sinks/base_sink.h>

#include <mutex>

#include "prefixfs/base/unique_fd.h"

namespace prefixfs {

/// Writes each line with one write(2) to a descriptor: nothing stays in a buffer when the process dies, and lines of several
/// processes that append to one file do not mix. spdlog's own file sink would create the file with the umask's mode.
class FdSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FdSink(UniqueFd fd) : fd_(std::move(fd)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

 private:
  UniqueFd fd_;
};

}  // namespace prefixfs
