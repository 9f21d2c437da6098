#include "record.h"

#include "bytes.h"

namespace prefixfs::meta {

namespace {

constexpr std::uint8_t kNodeVersion = 3;
constexpr std::uint8_t kListingVersion = 1;
constexpr std::size_t kNodeHeadBytes = 84;
constexpr std::size_t kListingBytes = 24;
constexpr std::uint8_t kPosixExact = 1;
constexpr std::uint8_t kLocal = 2;
constexpr std::uint8_t kHasAtime = 4;
constexpr std::uint8_t kComplete = 1;

bool consistent(const Node& node) {
  return (node.rdev == 0 || is_device(node.kind)) && (node.target.empty() || node.kind == NodeKind::symlink) &&
         node.target.size() <= kTargetBytesMax && node.name.empty() == (node.id == kRootInode);
}

}  // namespace

std::string node_key(InodeId parent, std::string_view name) { return children_key(parent, place_of(name)); }

std::string children_key(InodeId parent, std::string_view place) {
  std::string key;
  key.reserve(9 + place.size());
  key.push_back('d');
  append_key_number(key, parent);
  key.append(place);
  return key;
}

std::string inode_key(InodeId id) {
  std::string key(1, 'i');
  append_key_number(key, id);
  return key;
}

std::string listing_key(InodeId directory) {
  std::string key(1, 'l');
  append_key_number(key, directory);
  return key;
}

std::string part_key(std::string_view shortened_name) { return std::string(1, 'n').append(shortened_name); }

std::string encode_node(const Node& node) {
  std::string xattrs = encode_xattrs(node.posix.xattrs);
  const bool fits = xattrs.size() <= kXattrsBytesMax;
  xattrs.resize(fits ? xattrs.size() : 0);  // S3 has them
  std::string out;
  out.reserve(kNodeHeadBytes + node.etag.str().size() + node.storage_class.size() + node.target.size() + xattrs.size());
  append(out, kNodeVersion);
  append(out, static_cast<std::uint8_t>(node.kind));
  append(out, static_cast<std::uint8_t>((node.posix_exact && fits ? kPosixExact : 0) | (node.local ? kLocal : 0) | (node.posix.atime_ns ? kHasAtime : 0)));
  append(out, std::uint8_t{0});
  append(out, static_cast<std::uint16_t>(node.etag.str().size()));
  append(out, static_cast<std::uint16_t>(node.storage_class.size()));
  append(out, node.id);
  append(out, node.size);
  append_time(out, node.last_modified);
  append_time(out, node.checked_at);
  append(out, static_cast<std::uint64_t>(node.posix.mtime_ns));
  append(out, node.posix.mode);
  append(out, node.posix.uid);
  append(out, node.posix.gid);
  append(out, node.rdev);
  append_time(out, node.changed_at);
  append(out, static_cast<std::uint64_t>(node.posix.atime_ns.value_or(0)));
  append(out, static_cast<std::uint16_t>(node.target.size()));
  append(out, static_cast<std::uint16_t>(xattrs.size()));
  out.append(node.etag.str());
  out.append(node.storage_class);
  out.append(node.target);
  out.append(xattrs);
  return out;
}

std::optional<Node> decode_node(std::string_view key, std::string_view value) {
  if (key.size() < 9 || key.size() > 9 + kNodeNameBytesMax + 1 || key[0] != 'd' || value.size() < kNodeHeadBytes) {
    return std::nullopt;
  }
  const std::string_view place = key.substr(9);
  const std::string_view name = place.substr(0, place.size() - (place.empty() ? 0 : 1));
  if (place_of(name) != place) {
    return std::nullopt;
  }
  Node node;
  node.parent = key_number(key.substr(1));
  node.name = name;
  Reader reader(value);
  const auto version = reader.number<std::uint8_t>();
  const auto kind = reader.number<std::uint8_t>();
  const auto flags = reader.number<std::uint8_t>();
  const auto reserved = reader.number<std::uint8_t>();
  const auto etag_bytes = reader.number<std::uint16_t>();
  const auto class_bytes = reader.number<std::uint16_t>();
  node.id = reader.number<std::uint64_t>();
  node.size = reader.number<std::uint64_t>();
  node.last_modified = reader.time();
  node.checked_at = reader.time();
  node.posix.mtime_ns = reader.signed_number();
  node.posix.mode = reader.number<std::uint32_t>();
  node.posix.uid = reader.number<std::uint32_t>();
  node.posix.gid = reader.number<std::uint32_t>();
  node.rdev = reader.number<std::uint32_t>();
  node.changed_at = reader.time();
  const std::int64_t atime_ns = reader.signed_number();
  const auto target_bytes = reader.number<std::uint16_t>();
  const auto xattrs_bytes = reader.number<std::uint16_t>();
  const bool known_kind = kind >= 1 && kind <= static_cast<std::uint8_t>(NodeKind::block_device);
  const bool known_head = version == kNodeVersion && known_kind && flags <= (kPosixExact | kLocal | kHasAtime) && reserved == 0;
  const std::size_t bytes = kNodeHeadBytes + etag_bytes + class_bytes + target_bytes + xattrs_bytes;
  if (!known_head || value.size() != bytes || node.id == 0 || node.parent == 0) {
    return std::nullopt;
  }
  node.kind = static_cast<NodeKind>(kind);
  node.posix_exact = (flags & kPosixExact) != 0;
  node.local = (flags & kLocal) != 0;
  node.posix.atime_ns = (flags & kHasAtime) != 0 ? std::optional(atime_ns) : std::nullopt;
  const std::string etag(reader.text(etag_bytes));
  node.etag = ETag::from_wire('"' + etag + '"');
  if (node.etag.str() != etag) {
    return std::nullopt;
  }
  node.storage_class = reader.text(class_bytes);
  node.target = reader.text(target_bytes);
  auto xattrs = decode_xattrs(reader.text(xattrs_bytes));
  if (!xattrs) {
    return std::nullopt;
  }
  node.posix.xattrs = std::move(*xattrs);
  return consistent(node) ? std::optional(std::move(node)) : std::nullopt;
}

std::string encode_place(InodeId parent, std::string_view name) { return children_key(parent, name).substr(1); }

std::optional<NodePlace> decode_place(std::string_view value) {
  if (value.size() < 8 || value.size() > 8 + kNodeNameBytesMax) {
    return std::nullopt;
  }
  return NodePlace{key_number(value), std::string(value.substr(8))};
}

std::string encode_listing(const ListingState& state) {
  std::string out;
  append(out, kListingVersion);
  append(out, static_cast<std::uint8_t>(state.complete ? kComplete : 0));
  append(out, std::uint16_t{0});
  append(out, state.pages);
  append_time(out, state.listed_at);
  append(out, state.entries);
  return out;
}

std::optional<ListingState> decode_listing(std::string_view value) {
  if (value.size() != kListingBytes) {
    return std::nullopt;
  }
  Reader reader(value);
  const auto version = reader.number<std::uint8_t>();
  const auto flags = reader.number<std::uint8_t>();
  const auto reserved = reader.number<std::uint16_t>();
  if (version != kListingVersion || flags > kComplete || reserved != 0) {
    return std::nullopt;
  }
  ListingState state;
  state.complete = (flags & kComplete) != 0;
  state.pages = reader.number<std::uint32_t>();
  state.listed_at = reader.time();
  state.entries = reader.number<std::uint64_t>();
  return state;
}

std::string encode_number(std::uint64_t number) {
  std::string out;
  append(out, number);
  return out;
}

std::optional<std::uint64_t> decode_number(std::string_view value) {
  if (value.size() != 8) {
    return std::nullopt;
  }
  return Reader(value).number<std::uint64_t>();
}

}  // namespace prefixfs::meta
