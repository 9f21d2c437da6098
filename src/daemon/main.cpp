#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "background.h"
#include "mount_process.h"
#include "mount_setup.h"
#include "prefixfs/admin/commands.h"
#include "prefixfs/config/options.h"
#include "supervisor.h"
#include "upgrade.h"
#include "worker.h"

namespace {

using namespace prefixfs;

std::string working_directory() {
  std::error_code none;
  return std::filesystem::current_path(none).string();
}

/// `words`: with argv[0].
int supervise(const config::Options& options, std::vector<std::string> words, std::string directory, std::function<void()> ready) {
  if (const auto usable = fuse::check_mountpoint(options.mountpoint); !usable) {
    std::fprintf(stderr, "prefixfs: %s\n", describe(usable.error()).c_str());
    return daemon::kExitMount;
  }
  const std::unique_ptr<Log> log = daemon::make_log_for(options);
  daemon::WorkerProgram program(std::move(words), std::move(directory));
  return daemon::Supervisor(daemon::mount_options_of(options), std::move(program), *log, std::move(ready)).run();
}

int mount(const config::Options& options, const std::vector<std::string>& words, const std::string& directory) {
  if (options.foreground) {
    return supervise(options, words, directory, {});
  }
  return daemon::run_in_background(
      [&](std::function<void()> ready) { return supervise(options, words, directory, std::move(ready)); });
}

int run(const std::string& program, const std::vector<std::string>& words) {
  std::optional<daemon::Worker> worker = daemon::Worker::find();
  const std::string here = worker ? worker->directory() : working_directory();
  const std::vector<std::string> arguments(words.begin() + std::min<std::ptrdiff_t>(1, std::ssize(words)), words.end());
  if (arguments.size() == 2 && arguments[0] == "upgrade") {
    return daemon::ask_for_upgrade(std::filesystem::path(here) / arguments[1]);
  }
  const auto invocation = config::parse_invocation(program, arguments, here, SystemFileReader());
  if (!invocation) {
    std::fprintf(stderr, "prefixfs: %s\n", invocation.error().what.c_str());
    return daemon::kExitUsage;
  }
  if (invocation->command == config::Command::help) {
    std::fputs(config::help_text().c_str(), stdout);
    return daemon::kExitSuccess;
  }
  if (invocation->command == config::Command::man_page) {
    std::fputs(config::man_page_text(PREFIXFS_VERSION).c_str(), stdout);
    return daemon::kExitSuccess;
  }
  if (invocation->command == config::Command::version) {
    std::puts("prefixfs " PREFIXFS_VERSION);
    return daemon::kExitSuccess;
  }
  if (invocation->command != config::Command::mount) {
    return admin::run_command(*invocation, ProcessEnvironment(), SystemClock(), {});
  }
  if (invocation->fake) {
    return daemon::kExitSuccess;
  }
  return worker ? daemon::run_mount(invocation->options, *worker) : mount(invocation->options, words, here);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string program = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "prefixfs";
  return run(program, std::vector<std::string>(argv, argv + argc));
}
