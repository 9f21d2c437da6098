#include "store_stack.h"

#include "prefixfs/http/engine.h"

namespace prefixfs::daemon {
namespace {

constexpr int kAttemptsMax = 100;  // in practice the deadline of the call ends the attempts

/// Facts about endpoints, kept in the synced part of the cache directory.
class StoredMemory final : public s3::EndpointMemory {
 public:
  StoredMemory(meta::FactStore& facts, Log& log) : facts_(facts), log_(log) {}

  std::optional<std::string> recall(const std::string& name) override {
    auto value = facts_.get(name);
    return value ? *value : std::nullopt;
  }

  void remember(const std::string& name, const std::string& value) override {
    if (const auto stored = facts_.put(name, value); !stored) {
      log_.warn("{} = {} will have to be learnt again: {}", name, value, describe(stored.error()));
    }
  }

 private:
  meta::FactStore& facts_;
  Log& log_;
};

std::string first_of(const std::string& preferred, const std::string& fallback) { return preferred.empty() ? fallback : preferred; }

}  // namespace

Result<std::unique_ptr<StoreStack>> StoreStack::make(const config::Options& options, meta::FactStore& facts, const Clock& clock, Log& log) {
  TRY_ASSIGN(const aws::ProfileSettings profile, aws::read_profile_settings(ProcessEnvironment(), SystemFileReader(), options.profile));
  TRY(s3::check_options(client_options(options, profile)));
  return std::unique_ptr<StoreStack>(new StoreStack(options, profile, facts, clock, log));
}

StoreStack::StoreStack(const config::Options& options, const aws::ProfileSettings& profile, meta::FactStore& facts, const Clock& clock,
                       Log& log)
    : breaker_(clock, log) {
  engine_ = http::make_curl_engine({.ca_bundle = profile.ca_bundle, .user_agent = "prefixfs/" PREFIXFS_VERSION});
  credentials_ = aws::make_default_chain({environment_, files_, clock, *engine_, log}, options.profile);
  memory_ = std::make_unique<StoredMemory>(facts, log);
  s3::ClientOptions client = client_options(options, profile);
  client.host_region = [this, &clock, &log](const CallContext& context) {
    return aws::instance_region({environment_, files_, clock, *engine_, log}, context);
  };
  client_ = s3::make_client(client, *engine_, *credentials_, clock, *memory_, log);
  retrying_ = s3::make_retry_store(*client_, {.attempts_max = kAttemptsMax}, clock, random_, log);
  metered_ = s3::make_metered_store(*retrying_, clock, metrics_);
  prefixed_ = s3::make_prefix_store(*metered_, options.prefix);
  bounded_ = s3::make_deadline_store(*prefixed_, {.answer_time = options.outage_timeout}, clock);
  probing_ = s3::make_probing_store(*bounded_, breaker_);
  watched_ = s3::make_watched_store(*bounded_, breaker_);
  breaking_ = s3::make_breaking_store(*watched_, breaker_);
}

s3::ClientOptions client_options(const config::Options& options, const aws::ProfileSettings& profile) {
  return {.bucket = options.bucket,
          .endpoint = first_of(options.endpoint, profile.endpoint_url),
          .region = first_of(options.region, profile.region),
          .fips = profile.use_fips,
          .dualstack = profile.use_dualstack,
          .path_style = options.path_style,
          .sse = options.sse,
          .storage_class = options.storage_class};
}

std::string source_name(const config::Options& options) {
  return first_of(options.endpoint, "aws") + " s3://" + options.bucket + "/" + options.prefix.str();
}

}  // namespace prefixfs::daemon
