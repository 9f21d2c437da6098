#include "prefixfs/http/engine.h"

namespace prefixfs::http {

std::optional<std::string_view> Response::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (header.name == name) {
      return header.value;
    }
  }
  return std::nullopt;
}

}  // namespace prefixfs::http
