// RestoreObject.

#include <fmt/format.h>

#include "s3_client.h"
#include "xml_writer.h"

namespace prefixfs::s3 {

Result<RestoreState> S3Client::restore(const Key& key, const RestoreOptions& options, const CallContext& context) {
  if (key.empty() || (options.days && *options.days < 1)) {
    return fail(Errc::invalid, fmt::format("RestoreObject of '{}' for {} days", key.str(), options.days.value_or(0)));
  }
  const std::string xml = write_restore_request(options);
  const SpanSource body(std::as_bytes(std::span(xml.data(), xml.size())));
  TRY_ASSIGN(const Digests digests, digest_body(body, {.md5 = true, .sha256 = exchange_.signs_payload()}, context));
  Call call{"RestoreObject", "POST", key, {{"restore", ""}}, {{"content-type", "application/xml"}}, &body, digests.sha256};
  call.headers.push_back(checksum_header(digests, false));
  const auto response = exchange_.send(call, nullptr, context);
  if (response) {
    return response->status == 202 ? RestoreState::started : RestoreState::restored;
  }
  const std::string& said = response.error().origin.s3_code;
  if (said == "RestoreAlreadyInProgress") {
    return RestoreState::in_progress;
  }
  if (said == "InvalidObjectState") {  // what a GET says of an archived object is said here of every other
    return RestoreState::not_archived;
  }
  return fail(response.error());
}

}  // namespace prefixfs::s3
