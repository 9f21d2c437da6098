#include "fd_sink.h"

#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace prefixfs {

void FdSink::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  std::string_view rest(line.data(), line.size());
  while (!rest.empty()) {
    const ssize_t count = ::write(fd_.get(), rest.data(), rest.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return;  // a full disk or a closed terminal: there is no better place to tell of it
    }
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace prefixfs
