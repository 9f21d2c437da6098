#pragma once
// The option words: one table says what each is called, what it takes, and what it sets.

#include <optional>
#include <string>
#include <vector>

#include "prefixfs/config/options.h"

namespace prefixfs::config {

/// One word of an -o list, or one line of the settings file.
struct OptionWord {
  std::string name;
  std::optional<std::string> value;  ///< nothing: there was no "="
};

/// "a,b=c\,d" -> "a", "b=c,d". A backslash means itself but before a comma; empty words are dropped, as mount(8) does.
std::vector<OptionWord> split_words(const std::string& list);

/// Sets what `word` says. Words that only mean something to mount(8) and fstab are dropped.
/// Errors: invalid, unsupported; the sentence names the word.
Result<void> apply_word(const OptionWord& word, const std::string& working_directory, Options& options);

/// A flag that is switched by true or false, as the settings file has it. Errors: as apply_word; invalid where the word is no flag.
Result<void> apply_flag(const std::string& name, bool on, Options& options);

/// The word that `name` is probably meant to be; nothing when none is near.
std::optional<std::string> nearest_word(const std::string& name);

}  // namespace prefixfs::config
