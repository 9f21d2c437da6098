#include "prefixfs/aws/credentials.h"

#include <fmt/format.h>

namespace prefixfs::aws {
namespace {

class StaticProvider final : public CredentialsProvider {
 public:
  explicit StaticProvider(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<Credentials> get(const CallContext&) override { return credentials_; }
  void refused(const Credentials&) override {}

 private:
  const Credentials credentials_;
};

}  // namespace

std::string describe(const Credentials& credentials) {
  const std::string& id = credentials.access_key_id;
  // Real ids have 20 characters; of a short one nothing is shown, it may be a mistyped secret.
  const std::string shown = id.size() < 12 ? "(short id)" : fmt::format("{}...{}", id.substr(0, 4), id.substr(id.size() - 4));
  return credentials.source.empty() ? shown : fmt::format("{} from {}", shown, credentials.source);
}

std::unique_ptr<CredentialsProvider> make_static_provider(Credentials credentials) {
  return std::make_unique<StaticProvider>(std::move(credentials));
}

}  // namespace prefixfs::aws
