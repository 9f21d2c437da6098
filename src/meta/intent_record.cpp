#include "intent_record.h"

#include <utility>

#include "bytes.h"
#include "prefixfs/object/key.h"
#include "record.h"

namespace prefixfs::meta {

namespace {

constexpr std::uint8_t kIntentVersion = 1;
constexpr std::size_t kHeadBytes = 80;
constexpr std::size_t kRangeBytes = 16;
constexpr std::size_t kStagedNameBytesMax = 255;
constexpr std::size_t kLmdbKeyBytesMax = 511;
constexpr std::uint8_t kMaybeStored = 1;
constexpr std::uint8_t kParked = 2;
constexpr std::uint8_t kAppends = 4;
constexpr std::uint8_t kMode = 16;
constexpr std::uint8_t kUid = 32;
constexpr std::uint8_t kGid = 64;
constexpr std::uint8_t kMtime = 128;
constexpr std::uint8_t kChanged = kMode | kUid | kGid | kMtime;
constexpr int kStageShift = 4;  // of a directory's move, in the place of kMode and kUid
constexpr std::uint8_t kStage = kMode | kUid;
constexpr std::uint8_t kChangedAtime = 1;  // these in a byte of their own
constexpr std::uint8_t kHasAtime = 2;
constexpr std::uint8_t kHasXattrs = 4;
constexpr std::uint8_t kChangedXattrs = 8;
constexpr std::uint8_t kMoreFlags = kChangedAtime | kHasAtime | kHasXattrs | kChangedXattrs;
constexpr std::size_t kAtimeBytes = 8;
constexpr std::uint8_t kFlags = kMaybeStored | kParked | kAppends | kChanged;

/// What the head says of the rest.
struct Lengths {
  std::uint16_t path = 0;
  std::uint16_t source = 0;
  std::uint16_t etag = 0;
  std::uint16_t error = 0;
  std::uint16_t name = 0;  ///< of the staged file; 0: there is none
  std::uint32_t valid = 0;
  std::uint32_t dirty = 0;
  bool atime = false;      ///< comes behind all these
  bool xattrs = false;     ///< all that is behind it

  std::uint64_t bytes() const {
    return std::uint64_t{path} + source + etag + error + name + kRangeBytes * (std::uint64_t{valid} + dirty) + (atime ? kAtimeBytes : 0);
  }
  bool within_bounds() const {
    return path >= 1 && path <= kKeyBytesMax && source <= kKeyBytesMax && etag <= kTextBytesMax && error <= kIntentErrorBytesMax &&
           name <= kStagedNameBytesMax;
  }
};

template <std::unsigned_integral T>
void append_length(std::string& out, std::size_t length) {
  append(out, static_cast<T>(length));
}

void append_ranges(std::string& out, const std::vector<ByteRange>& ranges) {
  for (const ByteRange& range : ranges) {
    append(out, range.begin);
    append(out, range.end);
  }
}

std::vector<ByteRange> take_ranges(Reader& reader, std::uint32_t count) {
  std::vector<ByteRange> ranges;
  ranges.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto begin = reader.number<std::uint64_t>();
    ranges.push_back({begin, reader.number<std::uint64_t>()});
  }
  return ranges;
}

bool in_order_and_disjoint(const std::vector<ByteRange>& ranges, std::uint64_t size) {
  std::uint64_t at = 0;
  for (const ByteRange& range : ranges) {
    if (range.begin < at || range.end <= range.begin || range.end > size) {
      return false;
    }
    at = range.end;
  }
  return true;
}

/// Both in order and disjoint. Ranges of `whole` may touch.
bool is_part(const std::vector<ByteRange>& part, const std::vector<ByteRange>& whole) {
  auto next = whole.begin();
  for (const ByteRange& range : part) {
    for (std::uint64_t at = range.begin; at < range.end;) {
      while (next != whole.end() && next->end <= at) {
        ++next;
      }
      if (next == whole.end() || next->begin > at) {
        return false;
      }
      at = next->end;
    }
  }
  return true;
}

bool consistent(const StagedBytes& bytes) {
  return bytes.base_size <= bytes.size && in_order_and_disjoint(bytes.valid, bytes.size) &&
         in_order_and_disjoint(bytes.dirty, bytes.size) && is_part(bytes.dirty, bytes.valid);
}

std::uint8_t flags_of(const Intent& intent) {
  const ChangedAttributes& changed = intent.changed;
  return static_cast<std::uint8_t>((intent.maybe_stored ? kMaybeStored : 0) | (intent.parked ? kParked : 0) | (intent.appends ? kAppends : 0) | (changed.mode ? kMode : 0) |
                                   (changed.uid ? kUid : 0) | (changed.gid ? kGid : 0) | (changed.mtime ? kMtime : 0) |
                                   (static_cast<unsigned>(intent.stage) << kStageShift));
}

void take_flags(std::uint8_t flags, Intent& intent) {
  intent.maybe_stored = (flags & kMaybeStored) != 0;
  intent.parked = (flags & kParked) != 0;
  intent.appends = (flags & kAppends) != 0;
  if (intent.kind == IntentKind::move_directory) {
    intent.stage = static_cast<DirectoryMoveStage>((flags & kStage) >> kStageShift);
    flags &= static_cast<std::uint8_t>(~kStage);
  }
  intent.changed = {.mode = (flags & kMode) != 0, .uid = (flags & kUid) != 0, .gid = (flags & kGid) != 0, .mtime = (flags & kMtime) != 0};
}

/// 0 is what records of journal format 3 have there.
std::uint8_t type_of(const Intent& intent) { return intent.type == NodeKind::file ? std::uint8_t{0} : static_cast<std::uint8_t>(intent.type); }

std::uint8_t more_flags_of(const Intent& intent) {
  return static_cast<std::uint8_t>((intent.changed.atime ? kChangedAtime : 0) | (intent.posix.atime_ns ? kHasAtime : 0) |
                                   (intent.posix.xattrs.empty() ? 0 : kHasXattrs) | (intent.changed.xattrs ? kChangedXattrs : 0));
}

/// False: no record has that.
bool take_type(std::uint8_t type, std::uint8_t more_flags, std::uint32_t rdev, Intent& intent) {
  const bool known = type == 0 || (type >= static_cast<std::uint8_t>(NodeKind::symlink) && type <= static_cast<std::uint8_t>(NodeKind::block_device));
  if (!known || (more_flags & ~kMoreFlags) != 0) {
    return false;
  }
  intent.type = type == 0 ? NodeKind::file : static_cast<NodeKind>(type);
  intent.rdev = rdev;
  intent.changed.atime = (more_flags & kChangedAtime) != 0;
  intent.changed.xattrs = (more_flags & kChangedXattrs) != 0;
  return rdev == 0 || is_device(intent.type);
}

bool consistent(const Intent& intent) {
  if (intent.type != NodeKind::file && intent.kind != IntentKind::store && intent.kind != IntentKind::move) {
    return false;
  }
  const bool moves = intent.kind == IntentKind::move;
  const bool moves_directory = intent.kind == IntentKind::move_directory;
  const bool source_fits = intent.kind == IntentKind::upload || intent.source.empty() != (moves || moves_directory);
  if (intent.bytes.has_value() != (intent.kind == IntentKind::store) || !source_fits) {
    return false;
  }
  if (intent.appends && intent.kind != IntentKind::store) {
    return false;
  }
  if (!moves && (intent.changed != ChangedAttributes{} || intent.size != 0)) {
    return false;
  }
  if (intent.changed.xattrs && intent.posix.xattrs.empty()) {
    return false;
  }
  if (moves && intent.base.empty()) {
    return false;
  }
  if ((intent.kind == IntentKind::store_marker || moves_directory) && !intent.path.ends_with('/')) {
    return false;
  }
  if (moves_directory ? !intent.source.ends_with('/') || intent.stage > DirectoryMoveStage::undoing : intent.stage != DirectoryMoveStage::copying) {
    return false;
  }
  return !intent.bytes || consistent(*intent.bytes);
}

/// The numbers of the head, in the order of the table. Nothing when one of them cannot be.
std::optional<Lengths> take_head(Reader& reader, Intent& intent, StagedBytes& bytes) {
  const auto version = reader.number<std::uint8_t>();
  const auto kind = reader.number<std::uint8_t>();
  const auto guard = reader.number<std::uint8_t>();
  const auto flags = reader.number<std::uint8_t>();
  Lengths lengths;
  lengths.path = reader.number<std::uint16_t>();
  lengths.source = reader.number<std::uint16_t>();
  lengths.etag = reader.number<std::uint16_t>();
  lengths.error = reader.number<std::uint16_t>();
  lengths.name = reader.number<std::uint16_t>();
  const auto type = reader.number<std::uint8_t>();
  const auto more_flags = reader.number<std::uint8_t>();
  intent.inode = reader.number<std::uint64_t>();
  intent.since = reader.time();
  intent.posix.mtime_ns = reader.signed_number();
  intent.posix.mode = reader.number<std::uint32_t>();
  intent.posix.uid = reader.number<std::uint32_t>();
  intent.posix.gid = reader.number<std::uint32_t>();
  lengths.valid = reader.number<std::uint32_t>();
  lengths.dirty = reader.number<std::uint32_t>();
  const auto rdev = reader.number<std::uint32_t>();
  bytes.size = reader.number<std::uint64_t>();
  bytes.base_size = reader.number<std::uint64_t>();
  if (version != kIntentVersion || kind < 1 || kind > static_cast<std::uint8_t>(IntentKind::move_directory) ||
      guard > static_cast<std::uint8_t>(IntentGuard::match) || (flags & ~kFlags) != 0) {
    return std::nullopt;
  }
  intent.kind = static_cast<IntentKind>(kind);
  intent.guard = static_cast<IntentGuard>(guard);
  take_flags(flags, intent);
  lengths.atime = (more_flags & kHasAtime) != 0;
  lengths.xattrs = (more_flags & kHasXattrs) != 0;
  if (!take_type(type, more_flags, rdev, intent)) {
    return std::nullopt;
  }
  return lengths.within_bounds() ? std::optional(lengths) : std::nullopt;
}

}  // namespace

std::string intent_key(IntentId id) {
  std::string key(1, kIntentLetter);
  append_key_number(key, id);
  return key;
}

std::optional<IntentId> decode_intent_key(std::string_view key) {
  if (key.size() != 9 || key[0] != kIntentLetter || key_number(key.substr(1)) == 0) {
    return std::nullopt;
  }
  return key_number(key.substr(1));
}

std::string encode_intent(const Intent& intent) {
  static const StagedBytes kNone;
  const StagedBytes& bytes = intent.bytes ? *intent.bytes : kNone;
  std::string out;
  append(out, kIntentVersion);
  append(out, static_cast<std::uint8_t>(intent.kind));
  append(out, static_cast<std::uint8_t>(intent.guard));
  append(out, flags_of(intent));
  append_length<std::uint16_t>(out, intent.path.size());
  append_length<std::uint16_t>(out, intent.source.size());
  append_length<std::uint16_t>(out, intent.base.str().size());
  append_length<std::uint16_t>(out, intent.last_error.size());
  append_length<std::uint16_t>(out, bytes.name.size());
  append(out, type_of(intent));
  append(out, more_flags_of(intent));
  append(out, intent.inode);
  append_time(out, intent.since);
  append(out, static_cast<std::uint64_t>(intent.posix.mtime_ns));
  append(out, intent.posix.mode);
  append(out, intent.posix.uid);
  append(out, intent.posix.gid);
  append_length<std::uint32_t>(out, bytes.valid.size());
  append_length<std::uint32_t>(out, bytes.dirty.size());
  append(out, intent.rdev);
  append(out, intent.bytes ? bytes.size : intent.size);
  append(out, bytes.base_size);
  out += intent.path;
  out += intent.source;
  out += intent.base.str();
  out += intent.last_error;
  out += bytes.name;
  append_ranges(out, bytes.valid);
  append_ranges(out, bytes.dirty);
  if (intent.posix.atime_ns) {
    append(out, static_cast<std::uint64_t>(*intent.posix.atime_ns));
  }
  if (!intent.posix.xattrs.empty()) {
    out += encode_xattrs(intent.posix.xattrs);
  }
  return out;
}

std::optional<Intent> decode_intent(std::string_view key, std::string_view value) {
  const auto id = decode_intent_key(key);
  if (!id || value.size() < kHeadBytes) {
    return std::nullopt;
  }
  Reader reader(value);
  Intent intent;
  StagedBytes bytes;
  const auto lengths = take_head(reader, intent, bytes);
  const std::uint64_t bytes_before_xattrs = kHeadBytes + (lengths ? lengths->bytes() : 0);
  if (!lengths || (lengths->xattrs ? value.size() <= bytes_before_xattrs : value.size() != bytes_before_xattrs)) {
    return std::nullopt;
  }
  intent.id = *id;
  intent.path = reader.text(lengths->path);
  intent.source = reader.text(lengths->source);
  const std::string etag(reader.text(lengths->etag));
  intent.base = ETag::from_wire('"' + etag + '"');
  intent.last_error = reader.text(lengths->error);
  bytes.name = reader.text(lengths->name);
  bytes.valid = take_ranges(reader, lengths->valid);
  bytes.dirty = take_ranges(reader, lengths->dirty);
  if (lengths->atime) {
    intent.posix.atime_ns = reader.signed_number();
  }
  if (lengths->xattrs) {
    auto xattrs = decode_xattrs(value.substr(bytes_before_xattrs));
    if (!xattrs) {
      return std::nullopt;
    }
    intent.posix.xattrs = std::move(*xattrs);
  }
  if (!bytes.name.empty()) {
    intent.bytes = std::move(bytes);
  } else {
    intent.size = std::exchange(bytes.size, 0);
    if (bytes != StagedBytes{}) {
      return std::nullopt;
    }
  }
  return intent.base.str() == etag && consistent(intent) ? std::optional(std::move(intent)) : std::nullopt;
}

std::string damaged_key(std::string_view key) { return kDamagedLetter + std::string(key.substr(0, kLmdbKeyBytesMax - 1)); }

}  // namespace prefixfs::meta
