#include "prefixfs/object/shown_name.h"

#include <fmt/format.h>

#include <cstdint>

#include "prefixfs/object/key.h"

namespace prefixfs {
namespace {

constexpr std::string_view kEmpty = "@s3-empty";
constexpr std::string_view kContent = "@s3-content";
constexpr std::string_view kDot = "@s3-dot";
constexpr std::string_view kDotDot = "@s3-dotdot";
constexpr std::string_view kRaw = "@s3-raw-";
constexpr std::string_view kName = "@s3-name-";
constexpr std::string_view kObject = "@s3-object-";
constexpr std::string_view kLong = "@s3-long-";
constexpr std::size_t kHashDigits = 16;

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : text) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return hash;
}

bool needs_raw(std::string_view part) { return part.find('\0') != std::string_view::npos || !is_utf8(part); }

/// How many bytes the character takes that `text` begins with; 0: it begins with none.
std::size_t character_bytes(std::string_view text) {
  for (std::size_t length = 1; length <= 4 && length <= text.size(); ++length) {
    if (is_utf8(text.substr(0, length))) {
      return length;
    }
  }
  return 0;
}

std::string raw_text(std::string_view part) {
  std::string text;
  while (!part.empty()) {
    const std::size_t length = character_bytes(part);
    if (length == 0 || part.front() == '\0' || part.front() == '%') {
      text += fmt::format("%{:02X}", static_cast<unsigned char>(part.front()));
      part.remove_prefix(1);
    } else {
      text += part.substr(0, length);
      part.remove_prefix(length);
    }
  }
  return text;
}

int digit_of(char character) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto at = kDigits.find(character);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::optional<std::string> raw_part(std::string_view text) {
  std::string part;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      part += text[at];
      continue;
    }
    const int high = at + 2 < text.size() ? digit_of(text[at + 1]) : -1;
    const int low = at + 2 < text.size() ? digit_of(text[at + 2]) : -1;
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    part += static_cast<char>(high * 16 + low);
    at += 2;
  }
  return needs_raw(part) && raw_text(part) == text ? std::optional(std::move(part)) : std::nullopt;
}

/// At most `bytes` of it, whole characters and whole %XX.
std::string_view beginning(std::string_view text, std::size_t bytes, bool raw) {
  std::string_view cut = text.substr(0, bytes);
  while (!is_utf8(cut)) {
    cut.remove_suffix(1);
  }
  const auto percent = cut.rfind('%');
  return raw && percent != std::string_view::npos && percent + 3 > cut.size() ? cut.substr(0, percent) : cut;
}

/// What a name says that is not its own part.
struct Escape {
  KeyPart of;
  bool shortened = false;
};

std::optional<Escape> parse(std::string_view name);

std::optional<Escape> parse_long(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (text.size() <= kHashDigits || text[kHashDigits] != '-' || text.substr(0, kHashDigits).find_first_not_of(kDigits) != std::string_view::npos) {
    return std::nullopt;
  }
  return Escape{.of = {.part = std::string(text.substr(kHashDigits + 1))}, .shortened = true};
}

std::optional<Escape> parse_object(std::string_view name) {
  if (!check_name(name)) {
    return std::nullopt;
  }
  Escape beside = parse(name).value_or(Escape{.of = {.part = std::string(name)}});
  if (beside.of.as != Shown::any) {
    return std::nullopt;
  }
  beside.of.as = Shown::file_beside_directory;
  return beside;
}

std::optional<Escape> parse(std::string_view name) {
  const auto behind = [&](std::string_view beginning) { return name.substr(beginning.size()); };
  if (!name.starts_with(kSubstituteMark)) {
    return std::nullopt;
  }
  if (name == kEmpty) {
    return Escape{.of = {.part = "", .as = Shown::directory}};
  }
  if (name == kContent) {
    return Escape{.of = {.part = "", .as = Shown::marker}};
  }
  if (name == kDot || name == kDotDot) {
    return Escape{.of = {.part = name == kDot ? "." : ".."}};
  }
  if (name.starts_with(kRaw)) {
    auto part = raw_part(behind(kRaw));
    return part ? std::optional(Escape{.of = {.part = std::move(*part)}}) : std::nullopt;
  }
  if (name.starts_with(kName)) {
    return parse(behind(kName)) ? std::optional(Escape{.of = {.part = std::string(behind(kName))}}) : std::nullopt;
  }
  if (name.starts_with(kObject)) {
    return parse_object(behind(kObject));
  }
  return name.starts_with(kLong) ? parse_long(behind(kLong)) : std::nullopt;
}

std::string shown_within(std::string_view part, std::size_t bytes_max) {
  if (part.empty() || part == "." || part == "..") {
    return std::string(part.empty() ? kEmpty : part == "." ? kDot : kDotDot);
  }
  const bool raw = needs_raw(part);
  const std::string text = raw ? raw_text(part) : std::string(part);
  const bool looks_like_one = !raw && part.size() <= kNameBytesMax && parse(part);
  std::string name = std::string(raw ? kRaw : looks_like_one ? kName : "") + text;
  if (name.size() <= bytes_max) {
    return name;
  }
  const std::size_t room = bytes_max - kLong.size() - kHashDigits - 1;
  return fmt::format("{}{:016x}-{}", kLong, fnv1a(part), beginning(text, room, raw));
}

}  // namespace

std::string shown_name(std::string_view part, Shown as) {
  switch (as) {
    case Shown::marker: return std::string(kContent);
    case Shown::file_beside_directory: return std::string(kObject) + shown_within(part, kNameBytesMax - kObject.size());
    case Shown::directory:
    case Shown::any: break;
  }
  return shown_within(part, kNameBytesMax);
}

std::optional<KeyPart> key_part(std::string_view name) {
  auto escape = parse(name);
  if (!escape) {
    return KeyPart{.part = std::string(name)};
  }
  return escape->shortened ? std::nullopt : std::optional(std::move(escape->of));
}

std::optional<ShortenedName> shortened_name(std::string_view name) {
  auto escape = parse(name);
  if (!escape || !escape->shortened) {
    return std::nullopt;
  }
  const std::string& text = escape->of.part;
  return ShortenedName{.as = escape->of.as, .begins = text.substr(0, text.find('%'))};
}

}  // namespace prefixfs
