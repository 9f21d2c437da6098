#include "http_message.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace prefixfs::devs3 {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_token(std::string_view text) {
  constexpr std::string_view kExtra = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](unsigned char c) {
    return std::isalnum(c) != 0 || kExtra.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

std::string_view next_line(std::string_view& rest) {
  const auto end = rest.find("\r\n");
  const auto line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 2);
  return line;
}

Result<HttpRequest> parse_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) {
    return fail(Errc::invalid, "not an HTTP request line");
  }
  HttpRequest request;
  request.method = line.substr(0, first);
  auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  const bool clean = std::ranges::none_of(target, [](unsigned char c) { return c <= ' ' || c == 0x7f; });
  if (!is_token(request.method) || !target.starts_with('/') || !clean || (version != "HTTP/1.1" && version != "HTTP/1.0")) {
    return fail(Errc::invalid, "not an HTTP/1.1 request line");
  }
  request.keep_alive = version == "HTTP/1.1";
  const auto question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string_view::npos) {
    request.query = target.substr(question + 1);
  }
  return request;
}

Result<void> interpret(HttpRequest& request) {
  if (const auto text = request.headers.find("content-length")) {
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), length);
    if (error != std::errc{} || end != text->data() + text->size()) {
      return fail(Errc::invalid, "Content-Length is not a number");
    }
    request.content_length = length;
  }
  const auto connection = lower(request.headers.get("connection"));
  if (connection.find("close") != std::string::npos) {
    request.keep_alive = false;
  }
  request.expect_continue = lower(request.headers.get("expect")) == "100-continue";
  return {};
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
  TRY_ASSIGN(auto request, parse_request_line(next_line(text)));
  while (!text.empty()) {
    const auto line = next_line(text);
    if (line.empty()) {
      break;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
      return fail(Errc::invalid, "not an HTTP header");
    }
    request.headers.add(lower(line.substr(0, colon)), std::string(trim(line.substr(colon + 1))));
  }
  TRY(interpret(request));
  return request;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 416: return "Requested Range Not Satisfiable";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    default: return "Status";
  }
}

}  // namespace prefixfs::devs3
