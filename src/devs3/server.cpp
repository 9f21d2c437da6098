#include "server.h"

#include <exception>

#include <fmt/format.h>

#include "answer.h"
#include "authenticate.h"
#include "prefixfs/base/time_format.h"

namespace prefixfs::devs3 {
namespace {

constexpr std::string_view kHostId = "devs3";
constexpr std::size_t kControlBytesMax = 4 << 20;

LogRecord make_record(const Request& request, const Clock& clock) {
  LogRecord record;
  record.time = clock.now();
  record.method = request.http.method;
  record.operation = operation_name(request.operation);
  record.bucket = request.bucket;
  record.key = request.key;
  record.query = request.http.query;
  record.range = request.header(request.operation == Operation::upload_part_copy ? "x-amz-copy-source-range" : "range");
  record.if_match = request.header("if-match");
  record.if_none_match = request.header("if-none-match");
  record.copy_source = request.header("x-amz-copy-source");
  record.headers = request.http.headers.all();
  return record;
}

std::int64_t microseconds_since(const Clock& clock, SteadyTime begun) {
  return std::chrono::duration_cast<std::chrono::microseconds>(clock.steady() - begun).count();
}

/// S3 begins to answer these with 200 before it knows how they end (S3 API Reference, CopyObject and CompleteMultipartUpload).
bool may_fail_in_200(Operation operation) {
  return operation == Operation::copy_object || operation == Operation::upload_part_copy ||
         operation == Operation::complete_multipart_upload;
}

}  // namespace

void Server::serve(int socket) {
  Connection connection(socket);
  try {
    while (exchange(connection)) {
    }
  } catch (const std::exception&) {
    // Out of memory or a bug: this connection ends, the others go on.
    connection.reset_on_close();
  }
}

bool Server::exchange(Connection& connection) {
  auto head = connection.read_head();
  if (!head) {
    if (head.error().code != Errc::cancelled) {
      static_cast<void>(connection.write("HTTP/1.1 400 Bad Request\r\nServer: devs3\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
      connection.linger();
    }
    return false;
  }
  if (options_.control && head->path.starts_with(kControlPath)) {
    exchange_control(connection, *head, !head->keep_alive);
    return head->keep_alive;
  }
  const auto begun = context_.clock.steady();
  Request request;
  request.http = std::move(*head);
  request.id = fmt::format("{:016X}", context_.random.next());
  HttpBody body(connection, request.http);
  request.body = &body;
  const auto routed = route(request);
  const auto fault = control_.faults.decide(operation_name(request.operation), request.key);
  control_.faults.sleep(fault.latency);
  if (fault.is(FaultAction::slow_body)) {
    body.set_bytes_per_second(fault.rule.bytes_per_second);
  }
  auto decision = decide(request, routed, fault);
  return finish(connection, request, body, std::move(decision), fault, begun);
}

Server::Decision Server::decide(Request& request, const Outcome<void>& routed, const Fault& fault) {
  if (fault.is(FaultAction::reset)) {
    return {{}, {}, true};
  }
  if (fault.is(FaultAction::hang)) {
    control_.faults.hang();
    return {{}, {}, true};
  }
  const S3Error injected{fault.rule.status, fault.rule.code, "Injected by a fault rule.", {}, {}};
  if (fault.is(FaultAction::status)) {
    auto decision = refusal(request, injected, injected.status);
    if (fault.rule.retry_after_s > 0) {
      decision.response.add("Retry-After", std::to_string(fault.rule.retry_after_s));
    }
    return decision;
  }
  if (!routed) {
    return refusal(request, routed.error(), routed.error().status);
  }
  if (const auto proved = authenticate(context_, request, options_.allow_unsigned_payload); !proved) {
    return refusal(request, proved.error(), proved.error().status);
  }
  if (fault.is(FaultAction::error_in_200) && may_fail_in_200(request.operation)) {
    return refusal(request, injected, 200);
  }
  auto performed = perform(context_, request);
  if (!performed) {
    return refusal(request, performed.error(), performed.error().status);
  }
  return {std::move(*performed), {}, fault.is(FaultAction::lost_answer)};
}

Server::Decision Server::refusal(const Request& request, const S3Error& error, int status) const {
  auto response = xml_response(error_xml(error, request.resource(), request.id, kHostId));
  response.status = status;
  for (const auto& header : error.headers) {
    response.add(header.name, header.value);
  }
  return {std::move(response), error.code, false};
}

bool Server::finish(Connection& connection, const Request& request, HttpBody& body, Decision decision, const Fault& fault,
                    SteadyTime begun) {
  auto record = make_record(request, context_.clock);
  record.status = decision.silent ? 0 : decision.response.status;
  record.code = decision.code;
  record.fault = fault.active ? action_name(fault.rule.action) : std::string_view{};
  record.bytes_in = body.received();
  record.bytes_out = decision.silent || request.is_head() ? 0 : decision.response.length;
  record.duration_us = microseconds_since(context_.clock, begun);
  const auto seq = control_.log.add(std::move(record));
  if (decision.silent) {
    if (!fault.is(FaultAction::lost_answer)) {
      connection.reset_on_close();
    }
    control_.log.finish(seq, 0, microseconds_since(context_.clock, begun));
    return false;
  }
  Delivery delivery{request.is_head(), !request.http.keep_alive, fault};
  delivery.close = delivery.close || request.http.headers.has("transfer-encoding") || !body.drain();
  const auto sent = send_answer(connection, decision.response, common_headers(request.id), delivery);
  control_.log.finish(seq, sent.body_bytes, microseconds_since(context_.clock, begun));
  if (sent.complete && delivery.close) {
    connection.linger();
  }
  return sent.complete && !delivery.close;
}

void Server::exchange_control(Connection& connection, const HttpRequest& http, bool close) {
  HttpBody body(connection, http);
  std::string text(std::min<std::uint64_t>(http.content_length.value_or(0), kControlBytesMax), '\0');
  const auto got = body.read(std::as_writable_bytes(std::span(text)));
  const auto response = control_.handle(http, std::string_view(text).substr(0, got.value_or(0)));
  static_cast<void>(send_answer(connection, response, common_headers("control"), {http.method == "HEAD", close, {}}));
}

std::string Server::common_headers(const std::string& request_id) const {
  return fmt::format("x-amz-request-id: {}\r\nx-amz-id-2: {}\r\nDate: {}\r\nServer: devs3\r\n", request_id, kHostId,
                     format_http_date(context_.clock.now()));
}

}  // namespace prefixfs::devs3
