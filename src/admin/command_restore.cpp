// restore: archived files are to be readable again.

#include <fmt/format.h>

#include <array>

#include "command_list.h"
#include "output.h"
#include "prefixfs/base/escape.h"
#include "prefixfs/base/time_format.h"
#include "report_fields.h"

namespace prefixfs::admin {
namespace {

std::string words_of(const RestoreOutcome& outcome) {
  switch (outcome.kind) {
    case RestoreOutcome::Kind::started: return "the restore is started";
    case RestoreOutcome::Kind::in_progress: return "the restore is in progress";
    case RestoreOutcome::Kind::restored: return outcome.until ? "is restored until " + format_iso8601(*outcome.until) : "is restored";
    case RestoreOutcome::Kind::not_archived: return "is not archived, and can be read";
  }
  return "unknown";
}

/// Where S3 does not answer for one path, it does not for the next either.
bool means_no_answer(std::string_view code) {
  constexpr std::array kCodes{Errc::unavailable, Errc::timeout, Errc::credentials, Errc::throttled};
  return std::ranges::any_of(kCodes, [&](Errc known) { return to_string(known) == code; });
}

}  // namespace

Result<int> restore(const Command& command) {
  int exit = kDone;
  for (const std::string& operand : command.request.operands) {
    TRY_ASSIGN(const std::string path, path_in_mount(command.place, operand));
    const Fields request{{"request", "restore"}, {"path", path}, {"days", std::to_string(command.request.days)}, {"tier", command.request.tier}};
    Fields answer;
    TRY(ask(command.place, request, [&](const Fields& record) { answer = record; }));
    if (answer.get("record") != "refused") {
      print(command.terminal.out, fmt::format("{}: {}\n", escape_control(operand), words_of(restore_outcome_from(answer))));
      continue;
    }
    const Error refusal{Errc::denied, fmt::format("{}: {}", operand, answer.get("what")), {}};
    if (means_no_answer(answer.get("code"))) {
      return fail(Errc::unavailable, refusal.what);
    }
    complain(command.terminal, refusal);
    exit = kRefused;
  }
  return exit;
}

}  // namespace prefixfs::admin
