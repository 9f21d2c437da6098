// What a client can put right by itself after a refusal: the region, the time, the credentials.

#include <fmt/format.h>

#include "exchange.h"
#include "prefixfs/base/time_format.h"

namespace prefixfs::s3 {

namespace {

/// S3 refuses signatures which are more than 15 minutes off (S3 API, "RequestTimeTooSkewed").
constexpr std::chrono::minutes kSkewRefused{10};

bool renewable(const std::string& s3_code) {
  return s3_code == "ExpiredToken" || s3_code == "ExpiredTokenException" || s3_code == "InvalidToken" || s3_code == "InvalidAccessKeyId" ||
         s3_code == "TokenRefreshRequired";
}

bool same(const aws::Credentials& a, const aws::Credentials& b) {
  return a.access_key_id == b.access_key_id && a.secret_access_key == b.secret_access_key && a.session_token == b.session_token;
}

}  // namespace

bool Exchange::cure(const Refusal& refusal, const http::Response& response, Attempt& attempt, Cured& cured, const CallContext& context) {
  if (classify(refusal).code == Errc::wrong_region && !cured.region) {
    cured.region = true;
    return cure_region(refusal, attempt, context);
  }
  const bool maybe_skewed = refusal.s3_code == "RequestTimeTooSkewed" || (refusal.http_status == 403 && refusal.s3_code.empty());
  if (maybe_skewed && !cured.clock) {
    cured.clock = true;
    return cure_clock(refusal, response, attempt);
  }
  if (renewable(refusal.s3_code) && !cured.credentials) {
    cured.credentials = true;
    return cure_credentials(refusal, attempt, context);
  }
  return false;
}

bool Exchange::cure_region(const Refusal& refusal, Attempt& attempt, const CallContext& context) {
  if (is_redirect(refusal) && !endpoint_->aws() && is_aws_host(endpoint_->host)) {
    return false;  // a host of one region stays there, however the request is signed
  }
  const auto region = refusal.region.empty() ? ask_region(attempt.region, context) : std::optional(refusal.region);
  if (!region || !region_.learn(*region, attempt.region)) {
    return false;
  }
  attempt.region = *region;
  return true;
}

/// S3 tells the region of a bucket to everybody, also with a 301 or 403 (S3 API, HeadBucket): nothing is signed, no key leaves.
std::optional<std::string> Exchange::ask_region(const std::string& region, const CallContext& context) {
  const Address address = address_of(*endpoint_, options_.bucket, region, options_.path_style);
  http::Request request;
  request.method = "HEAD";
  request.url = address.scheme_and_host + address.path_of_bucket();
  const auto response = engine_.perform(request, nullptr, context);
  return response ? region_told(*response, "") : std::nullopt;
}

/// Another request may have set the clock right meanwhile; what counts is the time that this one was signed with.
bool Exchange::cure_clock(const Refusal& refusal, const http::Response& response, const Attempt& attempt) {
  const auto theirs = parse_http_date(response.header("date").value_or(""));
  if (!theirs) {
    return false;
  }
  const auto ours = clock_.now();
  const auto signed_at = ours + attempt.clock_offset;
  const auto off = signed_at > *theirs ? signed_at - *theirs : *theirs - signed_at;
  const bool told = refusal.s3_code == "RequestTimeTooSkewed";
  if (off < (told ? std::chrono::minutes(1) : kSkewRefused)) {
    return false;
  }
  clock_offset_ns_ = std::chrono::nanoseconds(*theirs - ours).count();
  log_.warn("the clock of this host is {} s off S3's; requests are signed with S3's time. Set the clock (timedatectl set-ntp true)",
            std::chrono::duration_cast<std::chrono::seconds>(ours - *theirs).count());
  return true;
}

bool Exchange::cure_credentials(const Refusal& refusal, Attempt& attempt, const CallContext& context) {
  credentials_.refused(attempt.credentials);
  auto fresh = credentials_.get(context);
  if (!fresh || same(*fresh, attempt.credentials)) {
    return false;
  }
  log_.info("S3 refused {} with {}; going on with {}", aws::describe(attempt.credentials), refusal.s3_code, aws::describe(*fresh));
  attempt.credentials = *std::move(fresh);
  return true;
}

}  // namespace prefixfs::s3
