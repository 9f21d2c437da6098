#include "prefixfs/base/fields.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace prefixfs {
namespace {

std::string escape(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  for (const char letter : value) {
    switch (letter) {
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      default: out += letter;
    }
  }
  return out;
}

std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const char escaped = ++i < text.size() ? text[i] : '\0';
    if (escaped != 'n' && escaped != '\\') {
      return std::nullopt;
    }
    out += escaped == 'n' ? '\n' : '\\';
  }
  return out;
}

}  // namespace

const std::string& Fields::get(std::string_view name) const {
  static const std::string kNothing;
  for (const auto& [known, value] : fields_) {
    if (known == name) {
      return value;
    }
  }
  return kNothing;
}

std::uint64_t Fields::number(std::string_view name) const {
  const std::string& text = get(name);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

std::string Fields::text() const {
  std::string out;
  for (const auto& [name, value] : fields_) {
    out += name + "=" + escape(value) + "\n";
  }
  return out;
}

Result<Fields> Fields::parse(std::string_view text) {
  Fields fields;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto equals = line.find('=');
    const auto value = equals == std::string_view::npos ? std::nullopt : unescape(line.substr(equals + 1));
    if (!value) {
      return fail(Errc::invalid, fmt::format("a line of {} bytes is not NAME=VALUE", line.size()));
    }
    fields.add(std::string(line.substr(0, equals)), *value);
  }
  return fields;
}

}  // namespace prefixfs
