#pragma once
// Records over a unix socket. A record is the lines of Fields and an empty line.

#include <optional>
#include <string>

#include "prefixfs/base/clock.h"
#include "prefixfs/base/fields.h"
#include "prefixfs/base/unique_fd.h"

namespace prefixfs::admin {

inline constexpr const char* kSocketName = "control.sock";
inline constexpr std::size_t kRecordBytesMax = 64 << 10;

/// One end of a connection. What the other end takes too long for is an error.
class Channel {
 public:
  explicit Channel(UniqueFd socket) : socket_(std::move(socket)) {}

  /// Errors: io (the other end is gone, or takes nothing for some seconds).
  Result<void> send(const Fields& record);
  /// Nothing at the end. Errors: io, timeout, too_large, invalid.
  Result<std::optional<Fields>> receive(SteadyTime until);
  /// What was sent is all.
  void finish_sending();
  int get() const { return socket_.get(); }

 private:
  Result<bool> fill(SteadyTime until);

  UniqueFd socket_;
  std::string received_;
};

/// An address of any length: sun_path has 108 bytes, a cache directory may have more. Lives as long as the descriptor that it names.
struct SocketAddress {
  /// Errors: not_found, denied, io.
  static Result<SocketAddress> in(const std::string& directory);
  std::string path() const;
  UniqueFd directory;
};

}  // namespace prefixfs::admin
