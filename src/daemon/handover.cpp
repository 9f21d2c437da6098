#include "handover.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace prefixfs::daemon {
namespace {

// A FUSE_INIT has about a hundred bytes.
constexpr std::size_t kMessageBytesMax = 8192;
constexpr std::size_t kDescriptorsMax = 4;

Error socket_error(const char* what) { return {Errc::io, fmt::format("supervisor and worker: {}: {}", what, std::strerror(errno)), {}}; }

std::vector<UniqueFd> descriptors_of(msghdr& header) {
  std::vector<UniqueFd> descriptors;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    for (std::size_t at = 0; at + sizeof(int) <= part->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(part) + at, sizeof descriptor);
      descriptors.emplace_back(descriptor);
    }
  }
  return descriptors;
}

}  // namespace

Result<void> send_message(const UniqueFd& socket, Word word, std::span<const std::byte> body, const std::vector<int>& descriptors) {
  std::array<iovec, 2> parts{iovec{.iov_base = &word, .iov_len = 1},
                             iovec{.iov_base = const_cast<std::byte*>(body.data()), .iov_len = body.size()}};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorsMax * sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = parts.size();
  if (!descriptors.empty()) {
    const std::size_t bytes = descriptors.size() * sizeof(int);
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(rights), descriptors.data(), bytes);
  }
  while (::sendmsg(socket.get(), &header, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) {
      return fail(socket_error("cannot send"));
    }
  }
  return {};
}

Result<Message> receive_message(const UniqueFd& socket) {
  std::array<std::byte, kMessageBytesMax> buffer;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorsMax * sizeof(int))> control{};
  iovec part{.iov_base = buffer.data(), .iov_len = buffer.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket.get(), &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    return fail(errno == ECONNRESET ? Error{Errc::cancelled, "the other side is gone", {}} : socket_error("cannot receive"));
  }
  Message message;
  message.descriptors = descriptors_of(header);
  if (got == 0) {
    return fail(Errc::cancelled, "the other side is gone");
  }
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return fail(Errc::io, "supervisor and worker: a message is too long");
  }
  message.word = static_cast<Word>(buffer[0]);
  message.body.assign(buffer.begin() + 1, buffer.begin() + got);
  return message;
}

std::string WorkerPlace::encode() const { return fmt::format("{}:{}:{}", socket, generation, directory); }

std::optional<WorkerPlace> WorkerPlace::decode(std::string_view text) {
  WorkerPlace place;
  const char* const end = text.data() + text.size();
  const auto socket = std::from_chars(text.data(), end, place.socket);
  if (socket.ec != std::errc() || socket.ptr == end || *socket.ptr != ':' || place.socket < 0) {
    return std::nullopt;
  }
  const auto generation = std::from_chars(socket.ptr + 1, end, place.generation);
  if (generation.ec != std::errc() || generation.ptr == end || *generation.ptr != ':' || place.generation == 0) {
    return std::nullopt;
  }
  place.directory.assign(generation.ptr + 1, end);
  return place;
}

}  // namespace prefixfs::daemon
