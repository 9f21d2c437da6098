// DeleteObject and DeleteObjects.

#include <algorithm>
#include <map>
#include <ranges>

#include <fmt/format.h>

#include "classify.h"
#include "prefixfs/crypto/encoding.h"
#include "s3_client.h"
#include "xml_writer.h"

namespace prefixfs::s3 {

namespace {

constexpr std::size_t kDeleteKeysMax = 1000;

Result<void> unless_gone(Result<http::Response> response) {
  if (!response && response.error().origin.s3_code != "NoSuchKey") {
    return fail(std::move(response.error()));
  }
  return {};
}

}  // namespace

Result<void> S3Client::remove(const Key& key, const ETag& if_match, const CallContext& context) {
  if (key.empty()) {
    return fail(Errc::invalid, "DeleteObject needs a key");
  }
  if (if_match.empty()) {
    return unless_gone(exchange_.send(Call{"DeleteObject", "DELETE", key}, nullptr, context));
  }
  if (known().get(&Capabilities::conditional_delete) == Support::yes) {
    return remove_conditionally(key, if_match, context);
  }
  return remove_if_unchanged(key, if_match, context);
}

Result<void> S3Client::remove_conditionally(const Key& key, const ETag& etag, const CallContext& context) {
  return unless_gone(exchange_.send(Call{"DeleteObject", "DELETE", key, {}, {{"if-match", etag.quoted()}}}, nullptr, context));
}

/// HEAD and compare, then delete: another client's write in between is lost, which is why the header is used where it is honoured.
Result<void> S3Client::remove_if_unchanged(const Key& key, const ETag& etag, const CallContext& context) {
  const auto info = head(key, context);
  if (!info && info.error().code == Errc::not_found && info.error().origin.s3_code != "NoSuchBucket") {
    return {};
  }
  if (!info) {
    return fail(info.error());
  }
  if (info->etag != etag) {
    return conflict("DeleteObject", key, "another client has changed the object");
  }
  if (known().get(&Capabilities::conditional_delete) == Support::unknown) {
    // The object is to go, so it risks nothing to ask with an ETag that cannot be: an endpoint which ignores it does what is wanted.
    const ETag wrong = ETag::from_wire(std::string(32, etag.str().starts_with('0') ? '1' : '0'));
    Call probe{"DeleteObject", "DELETE", key, {}, {{"if-match", wrong.quoted()}}};
    probe.accept = {412, 400, 501};
    TRY_ASSIGN(const http::Response response, exchange_.send(probe, nullptr, context));
    known().learn(&Capabilities::conditional_delete, response.status == 412 ? Support::yes : Support::no);
    if (response.status == 412) {
      return remove_conditionally(key, etag, context);
    }
    if (response.status / 100 == 2) {
      return {};
    }
  }
  return unless_gone(exchange_.send(Call{"DeleteObject", "DELETE", key}, nullptr, context));
}

Result<std::vector<DeleteOutcome>> S3Client::remove_many(std::span<const RemoveTarget> targets, const CallContext& context) {
  if (targets.size() > kDeleteKeysMax) {
    return fail(Errc::invalid, fmt::format("DeleteObjects takes {} keys, not {}", kDeleteKeysMax, targets.size()));
  }
  std::vector<RemoveTarget> listed;
  std::vector<DeleteOutcome> outcomes;
  for (const RemoveTarget& target : targets) {
    // versitygw 1.8 and moto 5 ignore an ETag in DeleteObjects, and delete the newer version.
    if ((target.if_match.empty() || target.best_effort) && xml_can_carry(target.key.str()) && !target.key.empty()) {
      listed.push_back(target);
      continue;
    }
    auto removed = remove(target.key, target.if_match, context);
    outcomes.push_back({target.key, removed ? std::nullopt : std::optional(std::move(removed.error()))});
  }
  if (!listed.empty()) {
    TRY(remove_listed(listed, outcomes, context));
  }
  return outcomes;
}

Result<void> S3Client::remove_listed(std::span<const RemoveTarget> targets, std::vector<DeleteOutcome>& outcomes, const CallContext& context) {
  const std::string xml = write_delete_request(targets);
  const SpanSource body(std::as_bytes(std::span(xml.data(), xml.size())));
  TRY_ASSIGN(const Digests digests, digest_body(body, {.md5 = true, .sha256 = exchange_.signs_payload()}, context));
  Call call{"DeleteObjects", "POST", Key(), {{"delete", ""}}, {{"content-type", "application/xml"}}, &body, digests.sha256};
  call.headers.push_back(checksum_header(digests, false));  // S3 wants one of the checksums here; this one all servers know
  call.answer_timeout = std::chrono::seconds(60);
  TRY_ASSIGN(const http::Response response, exchange_.send(call, nullptr, context));
  if (read_error_document(response.body)) {
    return fail(exchange_.error_of(call, response));
  }
  TRY_ASSIGN(DeleteResult result, read_delete_result(response.body));
  std::ranges::sort(result.deleted);
  std::map<std::string, DeleteResult::Refusal> refused;
  for (DeleteResult::Refusal& refusal : result.refused) {
    refused.emplace(refusal.key, refusal);
  }
  for (const Key& key : targets | std::views::transform(&RemoveTarget::key)) {
    DeleteOutcome outcome{key, std::nullopt};
    if (const auto found = refused.find(key.str()); found != refused.end() && found->second.code != "NoSuchKey") {
      Refusal refusal;
      refusal.operation = "DeleteObjects";
      refusal.bucket = options_.bucket;
      refusal.key = key.str();
      refusal.http_status = response.status;
      refusal.s3_code = found->second.code;
      refusal.message = found->second.message;
      outcome.error = classify(refusal);
    } else if (found == refused.end() && !std::ranges::binary_search(result.deleted, key.str())) {
      outcome.error = Error{Errc::unavailable, fmt::format("DeleteObjects: the answer does not mention '{}'", key.str()), {}};
    }
    outcomes.push_back(std::move(outcome));
  }
  return {};
}

}  // namespace prefixfs::s3
