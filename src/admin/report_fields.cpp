#include "report_fields.h"

#include <algorithm>
#include <array>

namespace prefixfs::admin {
namespace {

std::string text_of(WallTime time) { return std::to_string(time.time_since_epoch().count()); }
std::string text_of(bool flag) { return flag ? "1" : "0"; }
WallTime time_of(const Fields& record, std::string_view name) {
  return WallTime(std::chrono::nanoseconds(static_cast<std::int64_t>(record.number(name))));
}

constexpr std::array<std::pair<RestoreOutcome::Kind, std::string_view>, 4> kOutcomes{{{RestoreOutcome::Kind::started, "started"},
                                                                                      {RestoreOutcome::Kind::in_progress, "in_progress"},
                                                                                      {RestoreOutcome::Kind::restored, "restored"},
                                                                                      {RestoreOutcome::Kind::not_archived, "not_archived"}}};

}  // namespace

std::string words_of(meta::IntentKind kind) {
  switch (kind) {
    case meta::IntentKind::store: return "store";
    case meta::IntentKind::store_marker: return "mkdir";
    case meta::IntentKind::remove: return "remove";
    case meta::IntentKind::move: return "rename or chmod";
    case meta::IntentKind::upload: return "upload to abort";
    case meta::IntentKind::move_directory: return "rename of a directory";
  }
  return "unknown";
}

void OwedTotals::add(const OwedChange& change) {
  ++changes;
  bytes += change.bytes;
  parked += change.parked ? 1 : 0;
  newest = std::max(newest, change.id);
}

Fields to_fields(const MountState& state) {
  return {{"record", "mount"},
          {"source", state.source},
          {"mountpoint", state.mountpoint},
          {"version", state.version},
          {"pid", std::to_string(state.pid)},
          {"mode", state.mode},
          {"read_only", text_of(state.read_only)},
          {"list_refused", text_of(state.list_refused)},
          {"escaped_names", std::to_string(state.escaped_names)},
          {"local_bytes", std::to_string(state.local_bytes)},
          {"local_bytes_max", std::to_string(state.local_bytes_max)},
          {"ending", text_of(state.ending)},
          {"breaker", state.breaker},
          {"breaker_since", text_of(state.breaker_since)},
          {"outage", state.outage}};
}

MountState mount_state_from(const Fields& record) {
  return {.source = record.get("source"),
          .mountpoint = record.get("mountpoint"),
          .version = record.get("version"),
          .pid = record.number("pid"),
          .mode = record.get("mode"),
          .read_only = record.get("read_only") == "1",
          .list_refused = record.get("list_refused") == "1",
          .escaped_names = record.number("escaped_names"),
          .local_bytes = record.number("local_bytes"),
          .local_bytes_max = record.number("local_bytes_max"),
          .ending = record.get("ending") == "1",
          .breaker = record.get("breaker"),
          .breaker_since = time_of(record, "breaker_since"),
          .outage = record.get("outage")};
}

Fields to_fields(const OwedChange& change) {
  return {{"record", "owed"},
          {"id", std::to_string(change.id)},
          {"kind", change.kind},
          {"path", change.path},
          {"bytes", std::to_string(change.bytes)},
          {"objects", std::to_string(change.objects)},
          {"copied", std::to_string(change.copied)},
          {"since", text_of(change.since)},
          {"attempts", std::to_string(change.attempts)},
          {"parked", text_of(change.parked)},
          {"last_error", change.last_error}};
}

OwedChange owed_change_from(const Fields& record) {
  return {.id = record.number("id"),
          .kind = record.get("kind"),
          .path = record.get("path"),
          .bytes = record.number("bytes"),
          .objects = record.number("objects"),
          .copied = record.number("copied"),
          .since = time_of(record, "since"),
          .attempts = static_cast<unsigned>(record.number("attempts")),
          .parked = record.get("parked") == "1",
          .last_error = record.get("last_error")};
}

Fields to_fields(const OwedTotals& totals) {
  return {{"record", "totals"},
          {"changes", std::to_string(totals.changes)},
          {"bytes", std::to_string(totals.bytes)},
          {"parked", std::to_string(totals.parked)},
          {"newest", std::to_string(totals.newest)}};
}

OwedTotals owed_totals_from(const Fields& record) {
  return {.changes = record.number("changes"), .bytes = record.number("bytes"), .parked = record.number("parked"), .newest = record.number("newest")};
}

Fields to_fields(const RestoreOutcome& outcome) {
  const auto* word = std::ranges::find(kOutcomes, outcome.kind, &decltype(kOutcomes)::value_type::first);
  return {{"record", "restore"}, {"outcome", std::string(word->second)}, {"until", outcome.until ? text_of(*outcome.until) : ""}};
}

RestoreOutcome restore_outcome_from(const Fields& record) {
  const auto* known = std::ranges::find(kOutcomes, record.get("outcome"), &decltype(kOutcomes)::value_type::second);
  RestoreOutcome outcome{.kind = known == kOutcomes.end() ? RestoreOutcome::Kind::started : known->first};
  if (!record.get("until").empty()) {
    outcome.until = time_of(record, "until");
  }
  return outcome;
}

}  // namespace prefixfs::admin
