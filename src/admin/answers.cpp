#include "answers.h"

#include <fmt/format.h>

#include "report_fields.h"

namespace prefixfs::admin {
namespace {

Fields done(std::uint64_t count) { return {{"record", "end"}, {"ok", "1"}, {"count", std::to_string(count)}}; }

/// `path` itself, or something below it; an empty one is the whole mount.
bool is_at_or_below(const std::string& changed, const std::string& path) {
  return path.empty() || changed == path || (changed.starts_with(path) && (path.ends_with('/') || changed[path.size()] == '/'));
}

/// mount, totals, and with `items=1` each change. With `until`: of the changes up to this id.
Result<void> answer_status(const Fields& request, const Subject& subject, Channel& channel) {
  const std::uint64_t until = request.number("until");
  std::vector<OwedChange> owed = subject.owed();
  if (until != 0) {
    std::erase_if(owed, [until](const OwedChange& change) { return change.id > until; });
  }
  OwedTotals totals;
  for (const OwedChange& change : owed) {
    totals.add(change);
  }
  TRY(channel.send(to_fields(subject.state())));
  TRY(channel.send(to_fields(totals)));
  if (request.get("items") == "1") {
    for (const OwedChange& change : owed) {
      TRY(channel.send(to_fields(change)));
    }
  }
  return channel.send(done(totals.changes));
}

Result<void> answer_retry(const Fields& request, Subject& subject, Channel& channel) {
  std::uint64_t count = 0;
  for (const OwedChange& change : subject.owed()) {
    if (is_at_or_below(change.path, request.get("path"))) {
      subject.retry(change.id);
      ++count;
    }
  }
  return channel.send(done(count));
}

Result<void> answer_discard(const Fields& request, Subject& subject, Channel& channel) {
  const auto discarded = subject.discard(request.number("id"));
  return channel.send(discarded ? done(1) : refusal(discarded.error()));
}

/// What S3 refuses is an answer as well: only of the daemon itself can one say that it does not answer.
Result<void> answer_restore(const Fields& request, Subject& subject, Channel& channel) {
  const RestoreRequest wanted{.path = request.get("path"), .days = static_cast<int>(request.number("days")), .tier = request.get("tier")};
  const auto outcome = subject.restore(wanted);
  TRY(channel.send(outcome ? to_fields(*outcome) : Fields{{"record", "refused"}, {"code", std::string(to_string(outcome.error().code))}, {"what", describe(outcome.error())}}));
  return channel.send(done(1));
}

}  // namespace

Fields refusal(const Error& error) {
  return {{"record", "end"}, {"ok", "0"}, {"code", std::string(to_string(error.code))}, {"what", error.what}};
}

Result<void> answer(const Fields& request, Subject& subject, Channel& channel) {
  const std::string& verb = request.get("request");
  if (verb == "status") {
    return answer_status(request, subject, channel);
  }
  if (verb == "retry") {
    return answer_retry(request, subject, channel);
  }
  if (verb == "discard") {
    return answer_discard(request, subject, channel);
  }
  if (verb == "restore") {
    return answer_restore(request, subject, channel);
  }
  return channel.send(refusal(Error{Errc::unsupported, "this version of prefixfs does not know that request", {}}));
}

}  // namespace prefixfs::admin
