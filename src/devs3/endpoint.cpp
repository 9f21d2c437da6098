#include "endpoint.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace prefixfs::devs3 {

Result<std::unique_ptr<Endpoint>> Endpoint::start(Settings settings) {
  auto clock = std::make_unique<ShiftedClock>();
  TRY_ASSIGN(auto store, ObjectStore::open(settings.root, *clock));
  File log_file;
  if (!settings.log_file.empty()) {
    log_file.reset(std::fopen(settings.log_file.c_str(), "ae"));
    if (!log_file) {
      return fail(Errc::io, fmt::format("cannot write {}: {}", settings.log_file.string(), std::strerror(errno)));
    }
  }
  TRY_ASSIGN(auto listener, Listener::open(settings.address, settings.port));
  const auto buckets = settings.buckets;
  std::unique_ptr<Endpoint> endpoint(
      new Endpoint(std::move(settings), std::move(clock), std::move(store), std::move(log_file), std::move(listener)));
  TRY(endpoint->make_buckets(buckets));
  endpoint->accepting_ = std::jthread([raw = endpoint.get()] {
    raw->listener_->run([raw](int socket) { raw->server_.serve(socket); });
  });
  return endpoint;
}

Endpoint::Endpoint(Settings settings, std::unique_ptr<ShiftedClock> clock, std::unique_ptr<ObjectStore> store, File log_file,
                   std::unique_ptr<Listener> listener)
    : clock_(std::move(clock)),
      store_(std::move(store)),
      access_(std::move(settings.keys), std::move(settings.buckets)),
      log_file_(std::move(log_file)),
      log_(settings.control, log_file_.get()),
      context_{*store_, access_, *clock_, random_, settings.region},
      control_{*store_, faults_, log_, *clock_},
      server_(context_, control_, {settings.allow_unsigned_payload, settings.control}),
      listener_(std::move(listener)) {
  faults_.set_base_latency(settings.latency);
  faults_.replace(std::move(settings.rules));
}

Endpoint::~Endpoint() {
  faults_.shut_down();
  listener_->stop();
}

Result<void> Endpoint::make_buckets(const std::vector<BucketRules>& buckets) {
  for (const auto& wanted : buckets) {
    const auto region = wanted.region.empty() ? context_.region : wanted.region;
    const auto present = store_->bucket(wanted.name);
    if (present && (*present)->info().region != region && !wanted.region.empty()) {
      return fail(Errc::invalid,
                  fmt::format("bucket {} is in region {} already, not in {}", wanted.name, (*present)->info().region, region));
    }
    if (present) {
      continue;
    }
    if (const auto made = store_->create_bucket(wanted.name, region); !made) {
      return fail(Errc::invalid, fmt::format("bucket {}: {}", wanted.name, made.error().message));
    }
  }
  return {};
}

}  // namespace prefixfs::devs3
