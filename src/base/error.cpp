#include "prefixfs/base/error.h"

#include <fmt/format.h>

#include "prefixfs/base/escape.h"

namespace prefixfs {

std::string_view to_string(Errc code) {
  switch (code) {
    case Errc::not_found: return "not_found";
    case Errc::exists: return "exists";
    case Errc::no_attribute: return "no_attribute";
    case Errc::not_dir: return "not_dir";
    case Errc::is_dir: return "is_dir";
    case Errc::not_empty: return "not_empty";
    case Errc::denied: return "denied";
    case Errc::read_only: return "read_only";
    case Errc::not_permitted: return "not_permitted";
    case Errc::conflict: return "conflict";
    case Errc::stale: return "stale";
    case Errc::throttled: return "throttled";
    case Errc::unavailable: return "unavailable";
    case Errc::timeout: return "timeout";
    case Errc::credentials: return "credentials";
    case Errc::wrong_region: return "wrong_region";
    case Errc::no_space: return "no_space";
    case Errc::too_large: return "too_large";
    case Errc::name_too_long: return "name_too_long";
    case Errc::bad_name: return "bad_name";
    case Errc::corrupt: return "corrupt";
    case Errc::cancelled: return "cancelled";
    case Errc::unsupported: return "unsupported";
    case Errc::invalid: return "invalid";
    case Errc::past_end: return "past_end";
    case Errc::busy: return "busy";
    case Errc::cross_device: return "cross_device";
    case Errc::too_many_open: return "too_many_open";
    case Errc::io: return "io";
    case Errc::internal: return "internal";
  }
  return "unknown";  // a number from outside the enum; not a default, so that a new code without a name is a warning
}

bool retryable(Errc code) { return code == Errc::throttled || code == Errc::unavailable || code == Errc::timeout; }

std::string describe(const Error& error) {
  const Origin& origin = error.origin;
  std::string evidence;
  const auto add = [&evidence](std::string_view text) {
    evidence += evidence.empty() ? "" : ", ";
    evidence += text;
  };
  if (!origin.operation.empty()) {
    add(origin.operation);
  }
  if (!origin.key.empty()) {
    add(fmt::format("key \"{}\"", origin.key));
  }
  if (origin.http_status != 0) {
    add(fmt::format("status {}", origin.http_status));
  }
  if (!origin.s3_code.empty()) {
    add(origin.s3_code);
  }
  if (!origin.request_id.empty()) {
    add(fmt::format("request {}", origin.request_id));
  }
  if (origin.attempt != 0) {
    add(fmt::format("attempt {}", origin.attempt));
  }
  std::string line = fmt::format("{}: {}", to_string(error.code), error.what);
  if (!evidence.empty()) {
    line += fmt::format(" ({})", evidence);
  }
  return escape_control(line);
}

}  // namespace prefixfs
