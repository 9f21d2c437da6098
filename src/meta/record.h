#pragma once
// Keys and values of the cache environment, as FORMAT.md lays them out. Pure functions; decoding never trusts the bytes.

#include <optional>
#include <string>
#include <string_view>

#include "prefixfs/meta/node_cache.h"

namespace prefixfs::meta {

inline constexpr char kCacheFormat = 4;
inline constexpr char kJournalFormat = 5;
inline constexpr std::size_t kNodeNameBytesMax = 255;
inline constexpr std::size_t kTextBytesMax = 1024;  ///< of an ETag or a storage class

/// `d`, parent, place_of(name). With an empty name: the prefix that all children of `parent` share.
std::string node_key(InodeId parent, std::string_view name);
/// The key before or at which all children are that stand up to `place`.
std::string children_key(InodeId parent, std::string_view place);
std::string inode_key(InodeId id);
std::string listing_key(InodeId directory);
std::string part_key(std::string_view shortened_name);

std::string encode_node(const Node& node);
/// Nothing when the record cannot be read. `key` gives parent and name.
std::optional<Node> decode_node(std::string_view key, std::string_view value);

struct NodePlace {
  InodeId parent = 0;
  std::string name;
};
std::string encode_place(InodeId parent, std::string_view name);
std::optional<NodePlace> decode_place(std::string_view value);

std::string encode_listing(const ListingState& state);
std::optional<ListingState> decode_listing(std::string_view value);

/// The little-endian number that a counter of the journal holds.
std::string encode_number(std::uint64_t number);
std::optional<std::uint64_t> decode_number(std::string_view value);

}  // namespace prefixfs::meta
