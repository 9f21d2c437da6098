#pragma once
// What supervisor and worker say to each other, over a socket of messages (SOCK_SEQPACKET) that ends with either of them.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "prefixfs/base/result.h"
#include "prefixfs/base/unique_fd.h"

namespace prefixfs::daemon {

enum class Word : char {
  // From the worker.
  mount = 'm',       ///< it is ready to serve, and wants the mount
  init = 'i',        ///< the first exchange with the kernel, to be kept
  serving = 's',     ///< requests are answered
  writing = 'w',     ///< no upgrade: files are being written
  // From the supervisor.
  connection = 'c',  ///< the first exchange (empty for the first worker), with the descriptors of device and ledger
  refused = 'r',     ///< why there is no mount
};

struct Message {
  Word word{};
  std::vector<std::byte> body;
  std::vector<UniqueFd> descriptors;

  std::string text() const { return {reinterpret_cast<const char*>(body.data()), body.size()}; }
};

/// Errors: io (also where the other side is gone).
Result<void> send_message(const UniqueFd& socket, Word word, std::span<const std::byte> body = {}, const std::vector<int>& descriptors = {});
/// Waits. Errors: io; cancelled: the other side is gone, and has said all it had to say.
Result<Message> receive_message(const UniqueFd& socket);

/// How a worker finds its supervisor: in the environment, since arguments are those of the mount.
inline constexpr const char* kWorkerVariable = "PREFIXFS_WORKER";
struct WorkerPlace {
  int socket = -1;
  unsigned generation = 0;
  std::string directory;  ///< to which the paths among the arguments are relative

  std::string encode() const;
  static std::optional<WorkerPlace> decode(std::string_view text);
};

}  // namespace prefixfs::daemon
