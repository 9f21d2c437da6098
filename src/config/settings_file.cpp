#include "settings_file.h"

#include <fmt/format.h>

#include <toml++/toml.h>

#include <algorithm>

#include "option_words.h"

namespace prefixfs::config {
namespace {

/// toml++ as Debian builds it reports errors by exception.
Result<toml::table> parse_toml(const std::string& text, const std::string& path) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return fail(Errc::invalid, fmt::format("{}, line {}: {}", path, error.source().begin.line, error.description()));
  }
}

Result<void> apply_node(const std::string& name, const toml::node& node, Options& options) {
  if (auto flag = node.value_exact<bool>()) {
    return apply_flag(name, *flag, options);
  }
  if (auto text = node.value_exact<std::string>()) {
    return apply_word({name, *text}, "/", options);
  }
  if (auto number = node.value_exact<std::int64_t>()) {
    // An octal number in TOML is 0o022; written out in decimal it would be another mask.
    return apply_word({name, name == "umask" ? fmt::format("{:o}", *number) : std::to_string(*number)}, "/", options);
  }
  return fail(Errc::invalid, fmt::format("option {} must be a text, a whole number, or true or false", name));
}

}  // namespace

Result<void> apply_settings_file(const FileReader& files, const std::string& path, Options& options) {
  auto text = files.read(path);
  if (!text) {
    return text.error().code == Errc::not_found ? Result<void>() : fail(std::move(text.error()));
  }
  TRY_ASSIGN(const toml::table settings, parse_toml(*text, path));
  // A table is sorted by name; what a later line says must win (coherence, then ttl).
  std::vector<std::pair<toml::source_position, std::string>> order;
  for (const auto& [key, node] : settings) {
    order.emplace_back(key.source().begin, std::string(key.str()));
  }
  std::ranges::sort(order);
  for (const auto& [position, key] : order) {
    std::string name = key;
    std::ranges::replace(name, '-', '_');
    if (auto applied = apply_node(name, *settings.get(key), options); !applied) {
      return fail(applied.error().code, fmt::format("{}, line {}: {}", path, position.line, applied.error().what));
    }
  }
  return {};
}

}  // namespace prefixfs::config
