#pragma once
// Intents as bytes of the journal, as FORMAT.md lays them out. Pure functions; decoding never trusts the bytes.

#include <optional>
#include <string>
#include <string_view>

#include "prefixfs/meta/journal.h"

namespace prefixfs::meta {

inline constexpr char kIntentLetter = 'q';
inline constexpr char kDamagedLetter = 'x';
inline constexpr std::size_t kIntentErrorBytesMax = 4096;

/// `q`, id.
std::string intent_key(IntentId id);
/// Nothing when it is not the key of an intent.
std::optional<IntentId> decode_intent_key(std::string_view key);

/// What does not fit into the fields is not checked here: decode_intent() tells whether it can be read again.
std::string encode_intent(const Intent& intent);
/// Nothing when the record cannot be read or contradicts itself. `key` gives the id.
std::optional<Intent> decode_intent(std::string_view key, std::string_view value);

/// Where a record goes that cannot be read: `x`, its key.
std::string damaged_key(std::string_view key);

}  // namespace prefixfs::meta
