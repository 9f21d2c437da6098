#pragma once
// One client connection: bytes in, bytes out, and the ways in which it can break on purpose.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "http_message.h"
#include "prefixfs/base/result.h"
#include "s3_error.h"

namespace prefixfs::devs3 {

/// Does not own the socket. One thread at a time.
class Connection {
 public:
  explicit Connection(int socket) : socket_(socket) {}

  /// The next request's head. Errors: cancelled (closed or idle too long), too_large, invalid.
  Result<HttpRequest> read_head();
  /// Up to out.size() bytes of what follows the head; 0 at the end of the stream. Errors: timeout, io.
  Result<std::size_t> read(std::span<std::byte> out);
  /// Errors: io (the client is gone).
  Result<void> write(std::string_view data);
  Result<void> send_file(int fd, std::uint64_t offset, std::uint64_t length);
  /// Makes the close a reset (RST) instead of an orderly end.
  void reset_on_close();
  /// Ends the sending side, then waits a little for the client to finish, so that it reads the answer before it notices the close.
  void linger();

 private:
  int socket_;
  std::string buffer_;  ///< received beyond the head
};

/// The body of a request on its way in.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  /// Fills `out` as far as the body goes; less than out.size() only at its end.
  virtual Outcome<std::size_t> read(std::span<std::byte> out) = 0;
};

/// A body of Content-Length bytes. The first read asks the client to go on where it sent Expect: 100-continue (RFC 9110, 10.1.1), so a
/// refusal before that read saves the client the upload.
class HttpBody final : public BodyStream {
 public:
  HttpBody(Connection& connection, const HttpRequest& request)
      : connection_(connection), remaining_(request.content_length.value_or(0)), must_continue_(request.expect_continue) {}

  Outcome<std::size_t> read(std::span<std::byte> out) override;
  std::uint64_t remaining() const { return remaining_; }
  std::uint64_t received() const { return received_; }
  /// Reads and drops a small rest, so that the connection can be used again; false where it must be closed.
  bool drain();
  void set_bytes_per_second(std::uint64_t rate) { bytes_per_second_ = rate; }

 private:
  Outcome<std::size_t> read_some(std::span<std::byte> out);

  Connection& connection_;
  std::uint64_t remaining_;
  std::uint64_t received_ = 0;
  std::uint64_t bytes_per_second_ = 0;
  bool must_continue_;
};

}  // namespace prefixfs::devs3
