// prefixfs status: what the daemon says; or without one, what its directory says.

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "command_list.h"
#include "json_text.h"
#include "kept_files.h"
#include "output.h"
#include "prefixfs/base/escape.h"
#include "prefixfs/base/time_format.h"
#include "prefixfs/meta/journal.h"
#include "report_fields.h"

namespace prefixfs::admin {
namespace {

constexpr std::size_t kShownMax = 50;

struct Report {
  std::optional<MountState> mount;  ///< nothing: no daemon answers
  std::string problem;              ///< then: why
  std::vector<OwedChange> owed;
  std::vector<KeptFile> kept;
};

/// Without a daemon nothing is tried, so that only the journal knows.
Result<std::vector<OwedChange>> owed_by_journal(const std::string& cache_dir) {
  TRY_ASSIGN(const meta::JournalContents journal, meta::read_journal(cache_dir));
  std::vector<OwedChange> owed;
  for (const meta::Intent& intent : journal.intents) {
    owed.push_back({.id = intent.id, .kind = words_of(intent.kind), .path = intent.path, .bytes = intent.bytes ? intent.bytes->size : 0,
                    .since = intent.since, .attempts = 0, .parked = intent.parked, .last_error = intent.last_error});
  }
  return owed;
}

Result<Report> report_on(const Place& place) {
  Report report;
  const auto answered = ask(place, {{"request", "status"}, {"items", "1"}}, [&](const Fields& record) {
    if (record.get("record") == "mount") {
      report.mount = mount_state_from(record);
    } else if (record.get("record") == "owed") {
      report.owed.push_back(owed_change_from(record));
    }
  });
  if (!answered) {
    if (answered.error().code == Errc::denied || answered.error().code == Errc::not_found) {
      return fail(answered.error());
    }
    report.mount.reset();
    report.problem = answered.error().what;
    auto owed = owed_by_journal(place.cache_dir);
    if (!owed && owed.error().code != Errc::not_found) {
      return fail(owed.error());
    }
    report.owed = owed ? std::move(*owed) : std::vector<OwedChange>();
  }
  auto kept = list_kept(place.cache_dir);
  report.kept = kept ? std::move(*kept) : std::vector<KeptFile>();
  return report;
}

// ---- for people ----

std::string mount_text(const MountState& mount, WallTime now) {
  std::string text = fmt::format("{} on {}: prefixfs {}, pid {}{}\n", escape_control(mount.source), escape_control(mount.mountpoint), mount.version,
                                 mount.pid, mount.ending ? ", unmounted, and ends when what is owed is sent" : "");
  text += mount.breaker.empty() ? "S3:      answers\n"
                                : fmt::format("S3:      has not answered for {}: {}\n", age_text(now - mount.breaker_since), escape_control(mount.breaker));
  if (mount.breaker.empty() && !mount.outage.empty()) {
    text += fmt::format("         takes no changes: {}\n", escape_control(mount.outage));
  }
  text += fmt::format("mode:    {}{}\n", mount.mode, mount.read_only ? ", read-only" : "");
  text += mount.list_refused ? "rights:  listing is refused, the right s3:ListBucket is missing\n" : "rights:  no listing was refused\n";
  text += fmt::format("local:   {} of {} in the cache directory\n", size_text(mount.local_bytes), size_text(mount.local_bytes_max));
  if (mount.escaped_names > 0) {
    text += fmt::format("names:   {} that cannot be file names, and {} shown as @s3-...\n", mount.escaped_names == 1 ? std::string("1 key") : fmt::format("{} keys", mount.escaped_names),
                        mount.escaped_names == 1 ? "is" : "are");
  }
  return text;
}

std::string owed_text(std::vector<OwedChange> owed, WallTime now) {
  OwedTotals totals;
  WallTime oldest = now;
  for (const OwedChange& change : owed) {
    totals.add(change);
    oldest = std::min(oldest, change.since);
  }
  if (owed.empty()) {
    return "owed:    nothing\n";
  }
  std::string text = fmt::format("owed:    {}, {}, the oldest for {}{}\n", changes_text(totals.changes), size_text(totals.bytes), age_text(now - oldest),
                                 totals.parked == 0 ? "" : fmt::format("; {} refused, waiting for `retry` or `discard`", totals.parked));
  text += fmt::format("  {:>6} {:<7} {:<7} {:>12} {:>7} {:>5}  {}\n", "ID", "STATE", "WHAT", "BYTES", "AGE", "TRIES", "PATH");
  std::ranges::stable_sort(owed, std::greater(), &OwedChange::parked);
  for (const OwedChange& change : std::span(owed).first(std::min(owed.size(), kShownMax))) {
    text += fmt::format("  {:>6} {:<7} {:<7} {:>12} {:>7} {:>5}  {}\n", change.id, change.parked ? "refused" : "waiting", change.kind, change.bytes,
                        age_text(now - change.since), change.attempts, escape_control(change.path));
    text += change.objects == 0 ? "" : fmt::format("         {} of {} objects are copied\n", change.copied, change.objects);
    text += change.last_error.empty() ? "" : fmt::format("         {}\n", escape_control(change.last_error));
  }
  return text + (owed.size() > kShownMax ? fmt::format("  and {} more; --json shows all\n", owed.size() - kShownMax) : "");
}

std::string text_of(const Report& report, const Command& command) {
  const WallTime now = command.clock.now();
  std::string text = report.mount ? mount_text(*report.mount, now) : fmt::format("{}\n", escape_control(report.problem));
  text += owed_text(report.owed, now);
  if (!report.owed.empty() && !report.mount) {
    text += "         the next mount with this cache directory sends it\n";
  }
  return text + (report.kept.empty() ? "kept:    nothing\n"
                                     : fmt::format("kept:    {} that S3 did not take; `prefixfs conflicts {}` lists them\n",
                                                   report.kept.size() == 1 ? std::string("1 file") : fmt::format("{} files", report.kept.size()),
                                                   escape_control(command.place.mountpoint)));
}

// ---- for programs ----

std::string time_or_empty(WallTime time) { return time == WallTime{} ? std::string() : format_iso8601(time); }

std::string json_of(const OwedChange& change, WallTime now) {
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - change.since).count();
  return JsonObject()
      .number("id", change.id)
      .text("kind", change.kind)
      .text("path", change.path)
      .number("bytes", change.bytes)
      .number("objects", change.objects)
      .number("copied", change.copied)
      .text("since", format_iso8601(change.since))
      .number("age_seconds", static_cast<std::uint64_t>(std::max<std::int64_t>(age, 0)))
      .number("attempts", change.attempts)
      .truth("parked", change.parked)
      .text_or_null("last_error", change.last_error)
      .str();
}

std::string json_of(const Report& report, const Command& command) {
  JsonObject object;
  object.truth("mounted", report.mount.has_value()).text("mountpoint", command.place.mountpoint).text("cache_dir", command.place.cache_dir);
  if (report.mount) {
    const MountState& mount = *report.mount;
    object.text("source", mount.source).text("version", mount.version).number("pid", mount.pid).text("mode", mount.mode);
    object.truth("read_only", mount.read_only).truth("list_refused", mount.list_refused).truth("ending", mount.ending);
    object.number("escaped_names", mount.escaped_names).number("local_bytes", mount.local_bytes).number("local_bytes_max", mount.local_bytes_max);
    object.truth("s3_answers", mount.breaker.empty()).text_or_null("breaker", mount.breaker);
    object.text_or_null("breaker_since", mount.breaker.empty() ? std::string() : time_or_empty(mount.breaker_since));
    object.text_or_null("outage", mount.outage);
  } else {
    object.text("problem", report.problem);
  }
  OwedTotals totals;
  JsonArray owed;
  for (const OwedChange& change : report.owed) {
    totals.add(change);
    owed.add(json_of(change, command.clock.now()));
  }
  object.number("owed_changes", totals.changes).number("owed_bytes", totals.bytes).number("parked", totals.parked).number("kept", report.kept.size());
  return object.raw("owed", owed.str()).str() + "\n";
}

}  // namespace

Result<int> status(const Command& command) {
  TRY_ASSIGN(const Report report, report_on(command.place));
  print(command.terminal.out, command.request.json ? json_of(report, command) : text_of(report, command));
  return report.mount ? kDone : kNoAnswer;
}

}  // namespace prefixfs::admin
