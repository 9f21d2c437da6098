#include "prefixfs/admin/commands.h"

#include "command_list.h"
#include "output.h"

namespace prefixfs::admin {
namespace {

Result<int> run(const config::Invocation& invocation, const Environment& environment, const Clock& clock, const Terminal& terminal) {
  TRY_ASSIGN(Place place, find_place(invocation.admin, environment));
  const Command command{invocation.admin, std::move(place), clock, terminal};
  switch (invocation.command) {
    case config::Command::status: return status(command);
    case config::Command::drain: return drain(command);
    case config::Command::retry: return retry(command);
    case config::Command::discard: return discard(command);
    case config::Command::conflicts: return conflicts(command);
    case config::Command::restore: return restore(command);
    default: return fail(Errc::internal, "not a command about a mount");
  }
}

/// Whether somebody could be asked at all: a script tells that from a refusal.
CommandExit exit_of(const Error& error, config::Command command) {
  switch (error.code) {
    case Errc::unavailable:
    case Errc::timeout:
    case Errc::denied:
    case Errc::io: return kNoAnswer;
    case Errc::not_found: return command == config::Command::status || command == config::Command::drain ? kNoAnswer : kRefused;
    default: return kRefused;
  }
}

}  // namespace

int run_command(const config::Invocation& invocation, const Environment& environment, const Clock& clock, const Terminal& terminal) {
  const auto code = run(invocation, environment, clock, terminal);
  if (!code) {
    complain(terminal, code.error());
    return exit_of(code.error(), invocation.command);
  }
  return *code;
}

}  // namespace prefixfs::admin
