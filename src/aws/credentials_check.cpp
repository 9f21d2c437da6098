#include "credentials_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "prefixfs/base/time_format.h"

namespace prefixfs::aws {
namespace {

constexpr std::size_t kDocumentBytesMax = 64 * 1024;
constexpr std::size_t kFieldBytesMax = 16 * 1024;

bool is_visible_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_far_future(std::string_view time) {
  return time.size() > 5 && time[4] == '-' && time[0] >= '2' && time[0] <= '9' && time.substr(0, 4) >= "2200";
}

/// Empty where the field is absent or null.
Result<std::string> text_field(const nlohmann::json& document, const char* name, const std::string& origin) {
  const auto found = document.find(name);
  if (found == document.end() || found->is_null()) {
    return "";
  }
  if (!found->is_string()) {
    return fail(Errc::credentials, fmt::format("{}: {} is not a text", origin, name));
  }
  return found->get<std::string>();
}

}  // namespace

Result<void> check_usable(const Credentials& credentials, const std::string& origin) {
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) {
    return fail(Errc::credentials, fmt::format("{}: the {} is missing", origin,
                                               credentials.access_key_id.empty() ? "access key id" : "secret access key"));
  }
  for (const std::string* field : {&credentials.access_key_id, &credentials.secret_access_key, &credentials.session_token}) {
    if (field->size() > kFieldBytesMax || !is_visible_ascii(*field)) {
      return fail(Errc::credentials, fmt::format("{}: a key or token is too long or holds blanks or control characters", origin));
    }
  }
  return {};
}

Result<Credentials> parse_credentials_json(std::string_view text, const std::string& origin) {
  if (text.size() > kDocumentBytesMax) {
    return fail(Errc::credentials, fmt::format("{}: the answer is larger than {} KiB", origin, kDocumentBytesMax / 1024));
  }
  const nlohmann::json document = nlohmann::json::parse(text, nullptr, false);
  if (!document.is_object()) {
    return fail(Errc::credentials, fmt::format("{}: the answer is not a JSON object", origin));
  }
  TRY_ASSIGN(const std::string code, text_field(document, "Code", origin));
  if (!code.empty() && code != "Success") {
    const bool is_word = code.size() <= 64 && is_visible_ascii(code);
    return fail(Errc::credentials, fmt::format("{}: the answer says {} instead of Success", origin, is_word ? code : "something"));
  }
  Credentials credentials;
  TRY_ASSIGN(credentials.access_key_id, text_field(document, "AccessKeyId", origin));
  TRY_ASSIGN(credentials.secret_access_key, text_field(document, "SecretAccessKey", origin));
  TRY_ASSIGN(credentials.session_token, text_field(document, "Token", origin));
  TRY_ASSIGN(const std::string expiration, text_field(document, "Expiration", origin));
  // Some tools write the year 9999 for "never"; WallTime ends in 2262.
  if (!expiration.empty() && !is_far_future(expiration)) {
    credentials.expires = parse_iso8601(expiration);
    if (!credentials.expires) {
      return fail(Errc::credentials, fmt::format("{}: Expiration is not a time", origin));
    }
  }
  TRY(check_usable(credentials, origin));
  return credentials;
}

}  // namespace prefixfs::aws
