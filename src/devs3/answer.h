#pragma once
// Putting an answer on the wire, whole or broken on purpose.

#include <cstdint>
#include <string_view>

#include "connection.h"
#include "faults.h"
#include "request.h"

namespace prefixfs::devs3 {

struct Delivery {
  bool head_only = false;  ///< the request was a HEAD
  bool close = false;      ///< the last answer of the connection
  Fault fault;
};

struct Sent {
  std::uint64_t body_bytes = 0;
  bool complete = false;  ///< false: the connection cannot be used further
};

/// `common`: headers of every answer, each line ended.
Sent send_answer(Connection& connection, const Response& response, std::string_view common, const Delivery& delivery);

}  // namespace prefixfs::devs3
