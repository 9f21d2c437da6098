#include "outage.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "prefixfs/sync/delivery_queue.h"

namespace prefixfs::sync {

namespace {

using std::chrono::nanoseconds;

// Refusals of the keys, the account or the bucket as a whole (S3 API Reference, "List of error codes"), whatever they are classified as.
constexpr std::array<std::string_view, 12> kOfEverything{
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken",      "TokenRefreshRequired", "InvalidToken", "RequestTimeTooSkewed",
    "AccountProblem",     "NotSignedUp",           "AllAccessDisabled", "NoSuchBucket",         "RequestExpired", "ExpiredTokenException"};

}  // namespace

// Not no_space: a quota that is used up still takes the removals, and these make room.
bool is_outage(const Error& error) {
  return retryable(error.code) || error.code == Errc::credentials || error.code == Errc::wrong_region ||
         std::ranges::find(kOfEverything, error.origin.s3_code) != kOfEverything.end();
}

bool Outage::failed(const Error& error, std::uint64_t began_in, SteadyTime now) {
  if (began_in != epoch_) {
    return false;
  }
  const bool begins = !error_;
  if (begins) {
    ++epoch_;
    since_ = now;
    failures_ = 0;
  }
  ++failures_;
  error_ = error;
  return begins;
}

std::optional<nanoseconds> Outage::answered(std::uint64_t began_in, SteadyTime now) {
  if (began_in != epoch_ || !error_) {
    return std::nullopt;
  }
  ++epoch_;
  error_.reset();
  return now - since_;
}

nanoseconds Outage::pause(nanoseconds first, nanoseconds longest, std::uint64_t random) const {
  nanoseconds bound = first;
  for (unsigned i = 1; i < failures_ && bound < longest; ++i) {
    bound *= 2;
  }
  bound = std::max(std::min(bound, longest), nanoseconds(0));
  return nanoseconds(static_cast<nanoseconds::rep>(random % (static_cast<std::uint64_t>(bound.count()) + 1)));
}

}  // namespace prefixfs::sync
