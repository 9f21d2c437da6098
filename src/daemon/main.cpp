#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "background.h"
#include "mount_process.h"
#include "prefixfs/config/options.h"

namespace {

using namespace prefixfs;

int run(const std::string& program, const std::vector<std::string>& arguments) {
  std::error_code no_directory;
  const std::string here = std::filesystem::current_path(no_directory).string();
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
  if (invocation->fake) {
    return daemon::kExitSuccess;
  }
  const config::Options& options = invocation->options;
  if (options.foreground) {
    return daemon::run_mount(options, {});
  }
  return daemon::run_in_background([&](std::function<void()> ready) { return daemon::run_mount(options, std::move(ready)); });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string program = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "prefixfs";
  return run(program, std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
}
