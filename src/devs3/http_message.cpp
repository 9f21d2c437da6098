#include "http_message.h"

#include <algorithm>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace prefixfs::devs3 {
namespace {

namespace http = boost::beast::http;

constexpr std::uint32_t kHeadBytesMax = 128 * 1024;  // the connection's own limit is lower, and tells the client

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

Result<HttpRequest> request_of(const http::request_parser<http::empty_body>& parser) {
  const auto& message = parser.get();
  const std::string_view target = view(message.target());
  if (!target.starts_with('/')) {
    return fail(Errc::invalid, "the target of the request is not a path");
  }
  HttpRequest request;
  request.method = view(message.method_string());
  const auto question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string_view::npos) {
    request.query = target.substr(question + 1);
  }
  for (const auto& field : message) {
    request.headers.add(lower(view(field.name_string())), std::string(view(field.value())));
  }
  if (const auto length = parser.content_length()) {
    request.content_length = *length;
  }
  request.keep_alive = message.version() == 11 && lower(request.headers.get("connection")).find("close") == std::string::npos;
  request.expect_continue = lower(request.headers.get("expect")) == "100-continue";
  return request;
}

}  // namespace

bool Headers::has(std::string_view name) const {
  return std::ranges::any_of(all_, [&](const Header& header) { return header.name == name; });
}

std::string Headers::get(std::string_view name) const { return find(name).value_or(std::string()); }

std::optional<std::string> Headers::find(std::string_view name) const {
  std::optional<std::string> found;
  for (const auto& header : all_) {
    if (header.name == name) {
      found = found ? *found + "," + header.value : header.value;
    }
  }
  return found;
}

Result<HttpRequest> parse_head(std::string_view text) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(kHeadBytesMax);
  parser.body_limit(boost::none);
  parser.skip(true);  // the body is read by HttpBody, piece by piece
  boost::system::error_code error;
  while (!text.empty() && !parser.is_header_done()) {
    const std::size_t taken = parser.put(boost::asio::buffer(text), error);
    if (error || taken == 0) {
      break;
    }
    text.remove_prefix(taken);
  }
  if (!parser.is_header_done()) {
    return fail(Errc::invalid, "not the head of an HTTP/1.1 request" + (error ? ": " + error.message() : std::string()));
  }
  return request_of(parser);
}

std::string_view reason_phrase(int status) { return view(http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)))); }

}  // namespace prefixfs::devs3
