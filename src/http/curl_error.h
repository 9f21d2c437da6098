#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "origin.h"

namespace prefixfs::http {

/// What is known of a transfer that libcurl gave up.
struct FailedTransfer {
  CURLcode code = CURLE_OK;
  const Origin& origin;
  bool connected = false;  ///< the request was begun
  int status = 0;          ///< 0: no status line came
  long os_error = 0;       ///< errno of the socket call, 0 where unknown
  std::string detail{};      ///< libcurl's own words; no header is ever in them
  std::chrono::milliseconds connect_timeout{};
  std::string ca_bundle{};
  std::uint64_t received = 0;  ///< body bytes
  std::string announced{};       ///< Content-Length; empty where there was none
};

/// One sentence that names host and port, the cause, and what to do. unavailable is worth a retry, invalid is not.
Error to_error(const FailedTransfer& failure);

/// "10 s", "250 ms".
std::string describe_duration(std::chrono::milliseconds duration);

}  // namespace prefixfs::http
