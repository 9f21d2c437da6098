#include "provider_chain.h"

#include <fmt/format.h>

namespace prefixfs::aws {
namespace {
Error explain(Error error, const std::string& tried) {
  error.what = fmt::format("no AWS credentials: {}: {}", tried, error.what);
  return error;
}
}  // namespace

Result<CredentialsSource::Answer> ProviderChain::fetch(const CallContext& context) {
  if (answered_ != nullptr) {
    auto again = answered_->fetch(context);
    if (!again) {
      return fail(explain(std::move(again.error()), answered_->name()));
    }
    if (std::holds_alternative<Credentials>(*again)) {
      return again;
    }
    answered_ = nullptr;
  }
  std::string tried;
  for (const auto& source : sources_) {
    auto answer = source->fetch(context);
    if (!answer) {
      return fail(explain(std::move(answer.error()), tried + source->name()));
    }
    if (std::holds_alternative<Credentials>(*answer)) {
      answered_ = source.get();
      return answer;
    }
    tried += fmt::format("{}: {}; ", source->name(), std::get<NotHere>(*answer).why);
  }
  tried.resize(tried.empty() ? 0 : tried.size() - 2);
  return fail(Errc::credentials, fmt::format("no AWS credentials: {}", tried));
}

}  // namespace prefixfs::aws
