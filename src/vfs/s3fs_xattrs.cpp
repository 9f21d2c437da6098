#include "s3fs_xattrs.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <span>

#include "prefixfs/crypto/encoding.h"

namespace prefixfs::vfs {
namespace {

/// s3fs writes names as they are, which is JSON as long as they have no quotes; ours are escaped.
class FlatObject {
 public:
  explicit FlatObject(std::string_view text) : rest_(text) {}

  /// The next character that is no space, taken if it is that one.
  bool take(char wanted) {
    const auto at = rest_.find_first_not_of(" \t\r\n");
    if (at == std::string_view::npos || rest_[at] != wanted) {
      return false;
    }
    rest_.remove_prefix(at + 1);
    return true;
  }

  std::optional<std::string> text() {
    if (!take('"')) {
      return std::nullopt;
    }
    std::string found;
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() != '\\') {
        found.push_back(rest_.front());
        rest_.remove_prefix(1);
      } else if (!take_escape(found)) {
        return std::nullopt;
      }
    }
    return take('"') ? std::optional(std::move(found)) : std::nullopt;
  }

 private:
  bool take_escape(std::string& out) {
    if (rest_.size() >= 6 && rest_[1] == 'u' && rest_.substr(2, 2) == "00") {
      const auto byte = crypto::from_hex(rest_.substr(4, 2));
      rest_.remove_prefix(6);
      out += byte.value_or("");
      return byte.has_value();
    }
    if (rest_.size() < 2 || (rest_[1] != '"' && rest_[1] != '\\' && rest_[1] != '/')) {
      return false;
    }
    out.push_back(rest_[1]);
    rest_.remove_prefix(2);
    return true;
  }

  std::string_view rest_;
};

std::string escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
    }
    if (static_cast<unsigned char>(c) < ' ') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace

S3fsXattrs parse_s3fs_xattrs(std::string_view field) {
  const auto decoded = crypto::uri_decode(field);
  if (!decoded) {
    return {};
  }
  FlatObject object(*decoded);
  S3fsXattrs found;
  if (!object.take('{')) {
    return {};
  }
  do {
    const auto name = object.text();
    if (!name && found.empty() && object.take('}')) {
      return {};
    }
    const auto encoded = name && object.take(':') ? object.text() : std::nullopt;
    if (!encoded) {
      return {};
    }
    if (auto value = crypto::from_base64(*encoded)) {
      found.insert_or_assign(*name, std::move(*value));
    }
  } while (object.take(','));
  return object.take('}') ? found : S3fsXattrs();
}

std::string format_s3fs_xattrs(const S3fsXattrs& xattrs) {
  std::string json = "{";
  for (const auto& [name, value] : xattrs) {
    const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(value.data()), value.size());
    json += fmt::format("{}\"{}\":\"{}\"", json.size() == 1 ? "" : ",", escaped(name), crypto::base64(bytes));
  }
  return crypto::uri_encode(json + "}", crypto::Slash::encode);
}

}  // namespace prefixfs::vfs
