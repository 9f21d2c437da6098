#include "prefixfs/meta/xattrs.h"

#include "bytes.h"

namespace prefixfs::meta {
namespace {

constexpr std::size_t kHeadBytes = 6;

}  // namespace

std::string encode_xattrs(const Xattrs& xattrs) {
  std::string out;
  for (const auto& [name, value] : xattrs) {
    append(out, static_cast<std::uint8_t>(name.size()));
    append(out, static_cast<std::uint8_t>(value ? 1 : 0));
    append(out, static_cast<std::uint32_t>(value ? value->size() : 0));
    out += name;
    out += value.value_or("");
  }
  return out;
}

std::optional<Xattrs> decode_xattrs(std::string_view bytes) {
  Xattrs xattrs;
  while (!bytes.empty()) {
    if (bytes.size() < kHeadBytes) {
      return std::nullopt;
    }
    Reader head(bytes.substr(0, kHeadBytes));
    const auto name_bytes = head.number<std::uint8_t>();
    const auto there = head.number<std::uint8_t>();
    const auto value_bytes = head.number<std::uint32_t>();
    bytes.remove_prefix(kHeadBytes);
    const bool fits = bytes.size() >= name_bytes && bytes.size() - name_bytes >= value_bytes;
    if (name_bytes == 0 || name_bytes > kXattrNameBytesMax || there > 1 || (there == 0 && value_bytes != 0) || !fits) {
      return std::nullopt;
    }
    std::string name(bytes.substr(0, name_bytes));
    if (!xattrs.empty() && name <= xattrs.rbegin()->first) {
      return std::nullopt;  // in order, each once
    }
    const std::string_view value = bytes.substr(name_bytes, value_bytes);
    xattrs.emplace(std::move(name), there == 1 ? std::optional<std::string>(value) : std::nullopt);
    bytes.remove_prefix(name_bytes + value_bytes);
  }
  return xattrs;
}

}  // namespace prefixfs::meta
