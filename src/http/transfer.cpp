#include "transfer.h"

#include <fmt/format.h>

#include <algorithm>

#include "curl_error.h"

namespace prefixfs::http {

using std::chrono::milliseconds;
using Phase = ProgressWatch::Phase;
using Verdict = ProgressWatch::Verdict;

namespace {
constexpr std::size_t kHeadBytesMax = 256 * 1024;
constexpr std::size_t kMemoryBodyMax = 8 * 1024 * 1024;
constexpr int kExpectationFailed = 417;
/// S3 sends a blank every few seconds while it works.
constexpr std::chrono::seconds kPatience{60};

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// "HTTP/1.1 206 Partial Content"; 0 where it is none.
int parse_status_line(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || line.size() < space + 4) {
    return 0;
  }
  int status = 0;
  for (const char digit : line.substr(space + 1, 3)) {
    if (digit < '0' || digit > '9') {
      return 0;
    }
    status = status * 10 + (digit - '0');
  }
  return status;
}
}  // namespace

Transfer::Transfer(const Request& request, ResponseSink* sink, const CallContext& context, Origin origin,
                   std::shared_ptr<const EngineOptions> options)
    : request_(request),
      sink_(sink),
      context_(context),
      origin_(std::move(origin)),
      options_(std::move(options)),
      body_size_(request.body != nullptr ? request.body->size() : 0),
      watch_(limits(), SteadyTime()) {}

ProgressWatch::Limits Transfer::limits() const {
  const bool watched = options_->low_speed_bytes_per_second != 0;
  if (request_.patient && watched) {
    return {request_.first_byte_timeout, 1, std::max<milliseconds>(kPatience, options_->low_speed_time), true};
  }
  return {request_.first_byte_timeout, options_->low_speed_bytes_per_second, options_->low_speed_time, request_.patient};
}

Result<Response> Transfer::wait() {
  done_.acquire();
  return std::move(*result_);
}

/// Before each time libcurl begins the request on a connection. libcurl repeats any method, POST too, up to five times when a
/// connection that it had reused dies before the first byte of the answer (Curl_retry_request). Once is enough for a stale
/// connection, and a POST may have been acted upon.
bool Transfer::allow_attempt() {
  ++attempts_;
  const bool server_asked_for_it = response_.status == kExpectationFailed;
  const bool safe = attempts_ <= 2 && request_.method != "POST";
  if (attempts_ > 1 && !server_asked_for_it && !safe) {
    own_error_ = Error{Errc::unavailable, fmt::format("{} closed the connection before it answered", origin_.text), {}};
    return false;
  }
  body_offset_ = 0;
  head_bytes_ = 0;
  head_complete_ = false;
  response_ = Response{};
  return true;
}

std::size_t Transfer::reject(Error error) {
  own_error_ = std::move(error);
  return 0;
}

/// libcurl hands over whole lines: status line, headers, the empty line, for each 1xx answer too; trailers come after the body.
std::size_t Transfer::on_header(std::string_view line) {
  head_bytes_ += line.size();
  if (head_bytes_ > kHeadBytesMax) {
    return reject({Errc::unavailable, fmt::format("{} sent more than {} KiB of headers", origin_.text, kHeadBytesMax / 1024), {}});
  }
  if (head_complete_) {
    return line.size();
  }
  if (line.starts_with("HTTP/")) {
    response_.headers.clear();
    response_.status = parse_status_line(line);
    return line.size();
  }
  if (trim(line).empty()) {
    return response_.status < 200 ? line.size() : (on_head_complete() == 0 ? 0 : line.size());
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return line.size();
  }
  Header header{std::string(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1)))};
  std::ranges::transform(header.name, header.name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  response_.headers.push_back(std::move(header));
  return line.size();
}

/// 0: the sink refused.
std::size_t Transfer::on_head_complete() {
  head_complete_ = true;
  if (!wants_sink() || request_.method == "HEAD") {
    return 1;
  }
  long connections = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &connections);
  response_.reused_connection = connections == 0;
  response_.attempts = attempts_;
  if (auto begun = sink_->begin(response_); !begun) {
    return reject(std::move(begun.error()));
  }
  return 1;
}

std::size_t Transfer::on_body(std::span<const std::byte> data) {
  received_ += data.size();
  if (wants_sink()) {
    gather_->add(*this, data);
    return own_error_ ? 0 : data.size();
  }
  if (response_.body.size() + data.size() > kMemoryBodyMax) {
    return reject({Errc::too_large,
                   fmt::format("{} answered status {} with a body over {} MiB", origin_.text, response_.status, kMemoryBodyMax >> 20), {}});
  }
  response_.body.append(reinterpret_cast<const char*>(data.data()), data.size());
  return data.size();
}

void Transfer::give_to_sink(std::span<const std::byte> data) {
  if (own_error_) {
    return;
  }
  if (auto accepted = sink_->accept(data); !accepted) {
    own_error_ = std::move(accepted.error());
  }
}

std::size_t Transfer::on_read(std::span<std::byte> out) {
  const std::size_t size = std::min<std::uint64_t>(out.size(), body_size_ - body_offset_);
  if (size == 0) {
    return 0;
  }
  if (auto filled = request_.body->read_at(body_offset_, out.first(size)); !filled) {
    reject(std::move(filled.error()));
    return CURL_READFUNC_ABORT;
  }
  body_offset_ += size;
  return size;
}

EasyHandle Transfer::release() {
  curl_easy_reset(easy_.get());  // it must not keep pointers to this transfer
  headers_.reset();
  return std::move(easy_);
}

std::uint64_t Transfer::bytes_sent() const {
  curl_off_t sent = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_SIZE_UPLOAD_T, &sent);
  return static_cast<std::uint64_t>(std::max<curl_off_t>(0, sent));
}

Phase Transfer::phase(std::uint64_t sent) const {
  if (attempts_ == 0) {
    return Phase::connecting;
  }
  if (response_.status >= 200) {
    return Phase::receiving;
  }
  return sent < body_size_ ? Phase::sending : Phase::waiting;
}

const char* Transfer::what_is_missing() const {
  if (!active()) {
    return "while the request waited for a free connection";
  }
  return response_.status >= 200 ? "before the answer was complete" : "before it answered";
}

std::optional<Error> Transfer::check(SteadyTime now) {
  if (own_error_) {
    return std::move(own_error_);
  }
  Verdict verdict = Verdict::fine;
  if (active()) {
    const std::uint64_t sent = has_body() ? bytes_sent() : 0;
    verdict = watch_.check(phase(sent), sent + received_, now);
    if (context_.moving != nullptr) {
      context_.moving->postpone(watch_.take_progress());
    }
  }
  if (now >= deadline()) {
    return Error{Errc::timeout, fmt::format("{}: the deadline passed {}", origin_.text, what_is_missing()), {}};
  }
  return verdict == Verdict::fine ? std::nullopt : std::optional(silence_error(verdict));
}

SteadyTime Transfer::next_check() const { return active() ? std::min(deadline(), watch_.next_check()) : deadline(); }

Error Transfer::silence_error(Verdict verdict) const {
  if (verdict == Verdict::no_answer) {
    return {Errc::unavailable, fmt::format("no answer from {} within {}", origin_.text, describe_duration(request_.first_byte_timeout)), {}};
  }
  const char* const what = watch_.phase() == Phase::sending ? "the request to" : "the answer of";
  const std::string limit =
      fmt::format("{} bytes/s for {}", watch_.limits().low_speed_bytes_per_second, describe_duration(watch_.limits().low_speed_time));
  return {Errc::unavailable, fmt::format("{} {} stalled: less than {}", what, origin_.text, limit), {}};
}

void Transfer::complete(CURLcode code) {
  if (own_error_) {
    finish(fail(std::move(*own_error_)));
    return;
  }
  if (code == CURLE_OK && response_.status >= 200) {
    long connections = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_NUM_CONNECTS, &connections);
    response_.reused_connection = connections == 0;
    response_.attempts = attempts_;
    finish(std::move(response_));
    return;
  }
  FailedTransfer failure{.code = code, .origin = origin_, .connected = attempts_ > 0, .status = response_.status};
  curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &failure.os_error);
  failure.detail = error_text_.data();
  failure.connect_timeout = request_.connect_timeout;
  failure.ca_bundle = options_->ca_bundle;
  failure.received = received_;
  failure.announced = response_.header("content-length").value_or("");
  finish(fail(to_error(failure)));
}

void Transfer::abort(Error error) { finish(fail(std::move(error))); }

void Transfer::finish(Result<Response> result) {
  if (finished_) {
    return;
  }
  finished_ = true;
  result_.emplace(std::move(result));
  done_.release();
}

}  // namespace prefixfs::http
