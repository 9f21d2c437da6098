// drain, retry and discard: what becomes of that which is owed.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "command_list.h"
#include "output.h"
#include "prefixfs/base/escape.h"
#include "prefixfs/meta/journal.h"
#include "report_fields.h"

namespace prefixfs::admin {
namespace {

constexpr std::chrono::milliseconds kPause{250};

struct Owed {
  MountState mount;
  OwedTotals totals;
  std::vector<OwedChange> changes;
};

/// `until`: of the changes up to this id; 0: all.
Result<Owed> ask_owed(const Place& place, std::uint64_t until, bool items) {
  Owed owed;
  const Fields request{{"request", "status"}, {"until", std::to_string(until)}, {"items", items ? "1" : "0"}};
  TRY(ask(place, request, [&](const Fields& record) {
    const std::string& kind = record.get("record");
    if (kind == "mount") {
      owed.mount = mount_state_from(record);
    } else if (kind == "totals") {
      owed.totals = owed_totals_from(record);
    } else if (kind == "owed") {
      owed.changes.push_back(owed_change_from(record));
    }
  }));
  return owed;
}

/// Nothing moves any more: what is not refused itself waits behind something of the same name that is.
bool only_refusals(const std::vector<OwedChange>& changes) {
  std::set<std::string> refused;
  for (const OwedChange& change : changes) {
    if (change.parked) {
      refused.insert(change.path);
    }
  }
  return std::ranges::all_of(changes, [&](const OwedChange& change) { return refused.contains(change.path); });
}

/// One line that is written over on a terminal, and a new one each time elsewhere.
class Progress {
 public:
  Progress(const Terminal& terminal, bool wanted) : terminal_(terminal), over_(::isatty(terminal.err) == 1), shown_(over_ || wanted) {}
  ~Progress() {
    if (over_ && !last_.empty()) {
      print(terminal_.err, "\n");
    }
  }
  void show(const OwedTotals& totals) {
    std::string line = totals.changes == 0 ? "all is in S3"
                                           : fmt::format("{}, {} to go{}", changes_text(totals.changes), size_text(totals.bytes),
                                                         totals.parked == 0 ? "" : fmt::format(", {} refused", totals.parked));
    if (shown_ && line != last_) {
      print(terminal_.err, over_ ? "\r\033[K" + line : line + "\n");
      last_ = std::move(line);
    }
  }

 private:
  const Terminal& terminal_;
  const bool over_;
  const bool shown_;
  std::string last_;
};

/// The daemon has ended meanwhile, perhaps because all is done.
Result<int> drained_by_the_end(const Command& command, const Error& why) {
  const auto journal = meta::read_journal(command.place.cache_dir);
  return journal && journal->intents.empty() ? Result<int>(kDone) : fail(why);
}

Result<int> tell_refusals(const Command& command, const std::vector<OwedChange>& changes) {
  for (const OwedChange& change : changes) {
    if (change.parked) {
      complain(command.terminal, Error{Errc::denied, fmt::format("{} was refused: {}", change.path, change.last_error), {}});
    }
  }
  return kRefused;
}

std::vector<OwedChange> meant(const std::vector<OwedChange>& changes, const std::string& operand, const std::string& path) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(operand.data(), operand.data() + operand.size(), id);
  const bool is_number = error == std::errc() && end == operand.data() + operand.size();
  std::vector<OwedChange> found;
  std::ranges::copy_if(changes, std::back_inserter(found), [&](const OwedChange& change) { return change.path == path; });
  if (found.empty() && is_number) {
    std::ranges::copy_if(changes, std::back_inserter(found), [&](const OwedChange& change) { return change.id == id; });
  }
  return found;
}

std::string question_about(const std::vector<OwedChange>& changes) {
  std::string text;
  for (const OwedChange& change : changes) {
    text += fmt::format("{} {} ({}). ", change.kind, escape_control(change.path), size_text(change.bytes));
  }
  return text + "It will not get into S3; the bytes of a file are kept in kept/.";
}

}  // namespace

Result<int> drain(const Command& command) {
  const auto timeout = command.request.timeout;
  const SteadyTime end = timeout ? command.clock.steady() + *timeout : SteadyTime::max();
  TRY_ASSIGN(Owed owed, ask_owed(command.place, 0, false));
  const std::uint64_t until = owed.totals.newest;
  Progress progress(command.terminal, command.request.progress);
  for (;;) {
    progress.show(owed.totals);
    if (owed.totals.changes == 0) {
      return kDone;
    }
    if (owed.totals.parked > 0 && only_refusals(owed.changes) && !owed.changes.empty()) {
      return tell_refusals(command, owed.changes);
    }
    const std::string& outage = owed.mount.breaker.empty() ? owed.mount.outage : owed.mount.breaker;
    if (!timeout && !outage.empty()) {
      return fail(Errc::unavailable, fmt::format("{} not in S3, which does not answer: {}", changes_text(owed.totals.changes), outage));
    }
    if (command.clock.steady() >= end) {
      return fail(Errc::timeout, fmt::format("{} not in S3 in time{}", changes_text(owed.totals.changes), outage.empty() ? "" : ": " + outage));
    }
    command.clock.sleep_for(kPause, {});
    auto next = ask_owed(command.place, until, owed.totals.parked > 0);
    if (!next) {
      return drained_by_the_end(command, next.error());
    }
    owed = std::move(*next);
  }
}

Result<int> retry(const Command& command) {
  std::string path;
  if (!command.request.operands.empty()) {
    TRY_ASSIGN(path, path_in_mount(command.place, command.request.operands[0]));
  }
  TRY_ASSIGN(const Fields end, ask(command.place, {{"request", "retry"}, {"path", path}}, [](const Fields&) {}));
  const std::uint64_t count = end.number("count");
  if (count == 0 && !path.empty()) {
    return fail(Errc::not_found, fmt::format("nothing is owed of {}", path));
  }
  print(command.terminal.out, fmt::format("{} {} again\n", changes_text(count), count == 1 ? "is tried" : "are tried"));
  return kDone;
}

Result<int> discard(const Command& command) {
  const std::string& operand = command.request.operands[0];
  TRY_ASSIGN(const std::string path, path_in_mount(command.place, operand));
  TRY_ASSIGN(const Owed owed, ask_owed(command.place, 0, true));
  std::vector<OwedChange> changes = meant(owed.changes, operand, path);
  if (changes.empty()) {
    return fail(Errc::not_found, fmt::format("nothing is owed of {}", operand));
  }
  TRY_ASSIGN(const bool sure, confirmed(command.terminal, command.request.yes, question_about(changes)));
  if (!sure) {
    return kRefused;
  }
  // The newest first: an earlier state of the same file goes with it.
  std::ranges::reverse(changes);
  std::uint64_t count = 0;
  for (const OwedChange& change : changes) {
    const auto done = ask(command.place, {{"request", "discard"}, {"id", std::to_string(change.id)}}, [](const Fields&) {});
    if (!done && (done.error().code != Errc::not_found || count == 0)) {
      return fail(done.error());
    }
    ++count;
  }
  print(command.terminal.out, fmt::format("{} given up; `prefixfs conflicts {}` lists what is kept\n", changes_text(count),
                                          escape_control(command.place.mountpoint)));
  return kDone;
}

}  // namespace prefixfs::admin
