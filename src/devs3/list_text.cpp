#include "list_text.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace prefixfs::devs3 {

Outcome<ListText> ListText::create(const Request& request) {
  const auto type = request.query_value("encoding-type");
  if (request.has_query("encoding-type") && type != "url") {
    return invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", type);
  }
  return ListText(type == "url");
}

void ListText::optional_key(std::string_view element, std::string_view text) {
  if (!text.empty()) {
    key(element, text);
  }
}

void ListText::encoding_type() {
  if (url_) {
    xml_.element("EncodingType", "url");
  }
}

std::string ListText::form_encode(std::string_view text) {
  const auto encoded = crypto::uri_encode(text, crypto::Slash::keep);
  std::string out;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded.compare(i, 3, "%20") == 0) {
      out += '+';
      i += 2;
    } else {
      out += encoded[i];
    }
  }
  return out;
}

Outcome<std::size_t> read_count(const Request& request, std::string_view parameter) {
  constexpr std::size_t kMax = 1000;
  const auto text = request.query_value(parameter);
  if (text.empty()) {
    return kMax;
  }
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > INT32_MAX) {
    return invalid_argument(fmt::format("Provided {} not an integer or within integer range", parameter), parameter, text);
  }
  return std::min(static_cast<std::size_t>(value), kMax);
}

}  // namespace prefixfs::devs3
