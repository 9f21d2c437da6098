#include <map>
#include <mutex>

#include "prefixfs/s3/client.h"

namespace prefixfs::s3 {

namespace {

class VolatileMemory final : public EndpointMemory {
 public:
  std::optional<std::string> recall(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    const auto found = facts_.find(name);
    return found == facts_.end() ? std::nullopt : std::optional(found->second);
  }
  void remember(const std::string& name, const std::string& value) override {
    const std::lock_guard lock(mutex_);
    facts_[name] = value;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> facts_;
};

}  // namespace

std::unique_ptr<EndpointMemory> make_volatile_memory() { return std::make_unique<VolatileMemory>(); }

}  // namespace prefixfs::s3
