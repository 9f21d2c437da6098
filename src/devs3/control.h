#pragma once
// The control interface for tests, /_devs3/...: no S3, no signature, only with --control.

#include <string>
#include <string_view>

#include "faults.h"
#include "object_store.h"
#include "request.h"
#include "request_log.h"
#include "shifted_clock.h"

namespace prefixfs::devs3 {

struct Control {
  ObjectStore& store;
  Faults& faults;
  RequestLog& log;
  ShiftedClock& clock;

  /// `path` begins with /_devs3/. Thread-safe.
  Response handle(const HttpRequest& request, std::string_view body);
};

inline constexpr std::string_view kControlPath = "/_devs3/";

}  // namespace prefixfs::devs3
