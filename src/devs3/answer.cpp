#include "answer.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

namespace prefixfs::devs3 {
namespace {

std::string format_head(const Response& response, std::string_view common, const Delivery& delivery) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n{}", response.status, reason_phrase(response.status), common);
  for (const auto& header : response.headers) {
    head += fmt::format("{}: {}\r\n", header.name, header.value);
  }
  const bool no_length = response.status == 204 || response.status == 304 || (delivery.head_only && response.status >= 300);
  if (!no_length) {
    head += fmt::format("Content-Length: {}\r\n", response.length);
  }
  head += delivery.close ? "Connection: close\r\n\r\n" : "\r\n";
  return head;
}

/// The body piece by piece, for the faults that need their hands on the bytes.
class SlowSender {
 public:
  SlowSender(Connection& connection, const Fault& fault, std::uint64_t total)
      : connection_(connection), corrupt_at_(fault.is(FaultAction::corrupt_body) ? total / 2 : UINT64_MAX),
        rate_(fault.is(FaultAction::slow_body) ? fault.rule.bytes_per_second : 0) {}

  Result<void> send(std::span<const std::byte> data) {
    std::string copy(reinterpret_cast<const char*>(data.data()), data.size());
    if (corrupt_at_ >= sent_ && corrupt_at_ < sent_ + copy.size()) {
      auto& byte = copy[corrupt_at_ - sent_];
      byte = static_cast<char>(byte ^ 0x01);
    }
    std::string_view rest = copy;
    while (!rest.empty()) {
      const auto step = rate_ == 0 ? rest.size() : std::clamp<std::size_t>(rate_ / 20, 1, rest.size());
      if (rate_ != 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(step * 1'000'000 / rate_));
      }
      TRY(connection_.write(rest.substr(0, step)));
      rest.remove_prefix(step);
      sent_ += step;
    }
    return {};
  }

 private:
  Connection& connection_;
  std::uint64_t corrupt_at_;
  std::uint64_t rate_;
  std::uint64_t sent_ = 0;
};

Result<void> send_extents(Connection& connection, const std::vector<Extent>& extents, std::uint64_t& sent) {
  for (const auto& extent : extents) {
    TRY_ASSIGN(const auto fd, extent.file->open());
    TRY(connection.send_file(fd.get(), extent.offset, extent.length));
    sent += extent.length;
  }
  return {};
}

Result<void> send_body(Connection& connection, const Response& response, const Fault& fault, std::uint64_t limit, std::uint64_t& sent) {
  const auto extents = slice(response.extents, 0, limit);
  const auto text = std::string_view(response.body).substr(0, limit);
  if (fault.is(FaultAction::slow_body) || fault.is(FaultAction::corrupt_body)) {
    SlowSender sender(connection, fault, response.length);
    TRY(sender.send(std::as_bytes(std::span(text))));
    TRY(for_each_block(extents, [&](std::span<const std::byte> block) { return sender.send(block); }));
    sent = limit;
    return {};
  }
  TRY(connection.write(text));
  sent = text.size();
  return send_extents(connection, extents, sent);
}

}  // namespace

Sent send_answer(Connection& connection, const Response& response, std::string_view common, const Delivery& delivery) {
  Sent sent;
  const auto head = format_head(response, common, delivery);
  const bool cut = delivery.fault.is(FaultAction::truncate) || delivery.fault.is(FaultAction::reset_mid_body);
  const auto limit = delivery.head_only ? 0 : cut ? response.length / 2 : response.length;
  const bool plain = !delivery.fault.active && response.extents.empty();
  if (plain) {  // one packet for a small answer
    sent.body_bytes = delivery.head_only ? 0 : response.body.size();
    sent.complete = connection.write(delivery.head_only ? head : head + response.body).has_value();
    return sent;
  }
  sent.complete = connection.write(head) && send_body(connection, response, delivery.fault, limit, sent.body_bytes) && !cut;
  if (delivery.fault.is(FaultAction::reset_mid_body)) {
    connection.reset_on_close();
  }
  return sent;
}

}  // namespace prefixfs::devs3
