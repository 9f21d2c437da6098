// devs3: an S3 endpoint over a local folder, for demos and tests.

#include <charconv>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "config_json.h"
#include "endpoint.h"
#include "prefixfs/base/environment.h"

namespace {

using namespace prefixfs;
using namespace prefixfs::devs3;

struct CommandLine {
  std::string root, listen = "127.0.0.1:0", access, secret, region = "us-east-1", config, port_file, log;
  std::vector<std::string> buckets, rules;
  int latency_ms = 0;
  bool allow_unsigned_payload = false;
  bool control = false;
};

void declare(CLI::App& app, CommandLine& line) {
  app.description("An S3 endpoint over a local folder, for demos and tests. It checks signatures more strictly than S3 and can break\n"
                  "on purpose; it syncs nothing to disk, speaks plain http only, and is no place for data that matters.");
  app.set_version_flag("--version", PREFIXFS_VERSION);
  app.add_option("--root", line.root, "folder for buckets and objects; made where it is missing")->required();
  app.add_option("--listen", line.listen, "ADDRESS:PORT; port 0 chooses a free one")->capture_default_str();
  app.add_option("--access", line.access, "access key with every right (devs3, where the configuration names no key either)");
  app.add_option("--secret", line.secret, "its secret (devs3secret)");
  app.add_option("--region", line.region, "region of the endpoint and of new buckets")->capture_default_str();
  app.add_option("--bucket", line.buckets, "bucket to make at start; may be given several times");
  app.add_option("--config", line.config, "JSON file with keys, their rights, and buckets");
  app.add_option("--port-file", line.port_file, "file to write the port to, once devs3 listens");
  app.add_option("--log", line.log, "file to append one JSON line per request to");
  app.add_option("--rule", line.rules, "fault rule as JSON, as in POST /_devs3/faults; may be given several times");
  app.add_option("--latency-ms", line.latency_ms, "wait so long before every answer")->capture_default_str();
  app.add_flag("--allow-unsigned-payload", line.allow_unsigned_payload, "accept UNSIGNED-PAYLOAD although there is no TLS");
  app.add_flag("--control", line.control, "open /_devs3/ (log, faults, clock) to everybody who reaches the port");
}

Result<void> read_listen(const std::string& text, Settings& settings) {
  const auto colon = text.rfind(':');
  unsigned port = 65536;
  if (colon != std::string::npos) {
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  }
  if (port > 65535) {
    return fail(Errc::invalid, fmt::format("--listen wants ADDRESS:PORT, not '{}'", text));
  }
  settings.address = text.substr(0, colon);
  settings.port = static_cast<std::uint16_t>(port);
  return {};
}

Result<void> read_keys(const CommandLine& line, Settings& settings) {
  if (!line.config.empty()) {
    TRY_ASSIGN(const auto text, SystemFileReader().read(line.config));
    TRY_ASSIGN(auto configuration, parse_configuration(text));
    settings.keys = std::move(configuration.keys);
    settings.buckets = std::move(configuration.buckets);
  }
  if (line.access.empty() != line.secret.empty()) {
    return fail(Errc::invalid, "--access and --secret belong together");
  }
  if (!line.access.empty()) {
    settings.keys.push_back({line.access, line.secret, {}, {}, {}, {}, {}});
  } else if (settings.keys.empty()) {
    settings.keys.push_back({"devs3", "devs3secret", {}, {}, {}, {}, {}});
  }
  return {};
}

Result<Settings> make_settings(const CommandLine& line) {
  Settings settings;
  settings.root = line.root;
  settings.region = line.region;
  settings.latency = std::chrono::milliseconds(line.latency_ms);
  settings.log_file = line.log;
  settings.allow_unsigned_payload = line.allow_unsigned_payload;
  settings.control = line.control;
  TRY(read_listen(line.listen, settings));
  TRY(read_keys(line, settings));
  for (const auto& name : line.buckets) {
    settings.buckets.push_back({name, {}, {}});
  }
  for (const auto& text : line.rules) {
    TRY_ASSIGN(auto rules, parse_fault_rules(text));
    settings.rules.insert(settings.rules.end(), rules.begin(), rules.end());
  }
  return settings;
}

Result<void> run(const CommandLine& line) {
  // Blocked before the first thread starts, so that only sigwait below takes them.
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  TRY_ASSIGN(auto settings, make_settings(line));
  const auto address = settings.address;
  TRY_ASSIGN(const auto endpoint, Endpoint::start(std::move(settings)));
  if (!line.port_file.empty()) {
    const auto temporary = line.port_file + ".new";  // renamed, so that nobody reads half a number
    std::ofstream(temporary) << endpoint->port() << "\n";
    if (std::rename(temporary.c_str(), line.port_file.c_str()) != 0) {
      return fail(Errc::io, fmt::format("cannot write {}", line.port_file));
    }
  }
  fmt::print("devs3 listening on http://{}:{}\n", address, endpoint->port());
  std::fflush(stdout);
  int received = 0;
  sigwait(&stop, &received);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app;
  CommandLine line;
  declare(app, line);
  CLI11_PARSE(app, argc, argv);
  if (const auto done = run(line); !done) {
    fmt::print(stderr, "devs3: {}\n", done.error().what);
    return 1;
  }
  return 0;
}
