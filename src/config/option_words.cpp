#include "option_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "option_entries.h"

namespace prefixfs::config {
namespace {

// fstab(5), mount(8): for mount itself, for systemd, or always so on this mount (default_permissions, suid and dev are dropped because
// nosuid and nodev stay on).
constexpr std::array<std::string_view, 19> kIgnored{
    "_netdev", "nofail", "auto", "noauto", "user", "users", "nouser", "owner", "group", "defaults", "comment",
    "suid", "dev", "nosuid", "nodev", "default_permissions",
    // No meaning for FUSE, whose times the daemon keeps; libfuse refuses the first two.
    "relatime", "nodiratime", "atime"};

struct Handed {
  std::string_view name;
  std::string_view opposite;
};
constexpr std::array kHanded{Handed{"noatime", ""}, Handed{"exec", "noexec"}, Handed{"noexec", "exec"},
                             Handed{"sync", "async"}, Handed{"async", "sync"}, Handed{"dirsync", ""}};

bool is_ignored(const std::string& name) {
  return name.starts_with("x-") || name.starts_with("X-") || std::ranges::find(kIgnored, name) != kIgnored.end();
}

bool hand_on(const std::string& name, Options& options) {
  const auto* handed = std::ranges::find(kHanded, name, &Handed::name);
  if (handed == kHanded.end()) {
    return false;
  }
  std::erase_if(options.fuse_options, [&](const std::string& known) { return known == name || known == handed->opposite; });
  options.fuse_options.push_back(name);
  return true;
}

const OptionEntry* find_entry(const std::string& name) {
  const auto& entries = option_entries();
  const auto found = std::ranges::find(entries, name, [](const OptionEntry& entry) { return entry.row.name; });
  return found == entries.end() ? nullptr : &*found;
}

std::unexpected<Error> unknown(const std::string& name) {
  const auto near = nearest_word(name);
  const std::string hint = near ? fmt::format("; is {} meant?", *near) : "; prefixfs --help lists them";
  return fail(Errc::invalid, fmt::format("unknown option \"{}\"{}", name, hint));
}

/// Levenshtein's distance: how many letters to add, drop or change.
std::size_t distance(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  for (std::size_t column = 0; column <= other.size(); ++column) {
    row[column] = column;
  }
  for (std::size_t line = 1; line <= one.size(); ++line) {
    std::size_t diagonal = row[0];
    row[0] = line;
    for (std::size_t column = 1; column <= other.size(); ++column) {
      const std::size_t change = diagonal + (one[line - 1] == other[column - 1] ? 0 : 1);
      diagonal = row[column];
      row[column] = std::min({change, row[column] + 1, row[column - 1] + 1});
    }
  }
  return row.back();
}

std::string written(const OptionWord& word) { return word.value ? fmt::format("{}={}", word.name, *word.value) : word.name; }

}  // namespace

std::vector<OptionWord> split_words(const std::string& list) {
  std::vector<std::string> texts(1);
  for (std::size_t index = 0; index < list.size(); ++index) {
    if (list[index] == '\\' && index + 1 < list.size() && list[index + 1] == ',') {
      texts.back() += list[++index];
    } else if (list[index] == ',') {
      texts.emplace_back();
    } else {
      texts.back() += list[index];
    }
  }
  std::vector<OptionWord> words;
  for (const std::string& text : texts) {
    if (text.empty()) {
      continue;
    }
    const std::size_t equals = text.find('=');
    words.push_back(equals == std::string::npos ? OptionWord{text, {}} : OptionWord{text.substr(0, equals), text.substr(equals + 1)});
  }
  return words;
}

Result<void> apply_word(const OptionWord& word, const std::string& working_directory, Options& options) {
  const OptionEntry* entry = find_entry(word.name);
  if (entry == nullptr) {
    if (is_ignored(word.name) || hand_on(word.name, options)) {
      return {};
    }
    return unknown(word.name);
  }
  const bool takes_value = !entry->row.value.empty();
  if (takes_value && (!word.value || word.value->empty())) {
    return fail(Errc::invalid, fmt::format("option {} needs a value: {}={}", word.name, word.name, entry->row.value));
  }
  if (!takes_value && word.value) {
    return fail(Errc::invalid, fmt::format("option {} takes no value, and \"{}\" has one", word.name, written(word)));
  }
  auto applied = entry->apply(OptionValue{word.value.value_or("true"), working_directory}, options);
  if (!applied) {
    return fail(applied.error().code, fmt::format("option {}: {}", written(word), applied.error().what));
  }
  return {};
}

Result<void> apply_flag(const std::string& name, bool on, Options& options) {
  const OptionEntry* entry = find_entry(name);
  if (entry == nullptr) {
    return on ? apply_word({name, {}}, "/", options) : unknown(name);
  }
  if (!entry->row.value.empty()) {
    return fail(Errc::invalid, fmt::format("option {} needs a value ({}), not true or false", name, entry->row.value));
  }
  return entry->apply(OptionValue{on ? "true" : "false", "/"}, options);
}

std::optional<std::string> nearest_word(const std::string& name) {
  std::optional<std::string> nearest;
  std::size_t best = 3;  // more than two letters apart is another word
  const auto consider = [&](std::string_view known) {
    const std::size_t apart = distance(name, known);
    if (apart < best && apart < known.size()) {
      best = apart;
      nearest = known;
    }
  };
  for (const OptionEntry& entry : option_entries()) {
    consider(entry.row.name);
  }
  for (const Handed& handed : kHanded) {
    consider(handed.name);
  }
  std::ranges::for_each(kIgnored, consider);
  return nearest;
}

}  // namespace prefixfs::config
