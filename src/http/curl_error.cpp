#include "curl_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace prefixfs::http {
namespace {

Error unavailable(std::string what) { return {Errc::unavailable, std::move(what), {}}; }
Error invalid(std::string what) { return {Errc::invalid, std::move(what), {}}; }

/// The system's word where there is one, libcurl's otherwise; always one line.
std::string cause(const FailedTransfer& failure) {
  if (failure.os_error != 0) {
    return std::generic_category().message(static_cast<int>(failure.os_error));
  }
  std::string text = failure.detail.empty() ? curl_easy_strerror(failure.code) : failure.detail;
  for (char& c : text) {
    c = c == '\n' || c == '\r' ? ' ' : c;
  }
  return text;
}

Error connect_error(const FailedTransfer& failure) {
  if (failure.os_error == ECONNREFUSED) {
    return unavailable(fmt::format("connection to {} refused", failure.origin.text));
  }
  return unavailable(fmt::format("cannot connect to {}: {}", failure.origin.text, cause(failure)));
}

Error timeout_error(const FailedTransfer& failure) {
  if (failure.connected) {
    return unavailable(fmt::format("{} took too long: {}", failure.origin.text, cause(failure)));
  }
  return unavailable(fmt::format("no connection to {} within {}", failure.origin.text, describe_duration(failure.connect_timeout)));
}

Error lost_error(const FailedTransfer& failure) {
  if (failure.status == 0) {
    return unavailable(fmt::format("connection to {} lost before it answered: {}", failure.origin.text, cause(failure)));
  }
  return unavailable(fmt::format("connection to {} lost after {} bytes of the answer: {}", failure.origin.text, failure.received,
                                 cause(failure)));
}

Error truncated_error(const FailedTransfer& failure) {
  const std::string of_all = failure.announced.empty() ? "" : fmt::format(" of {}", failure.announced);
  return unavailable(fmt::format("the answer of {} ended early, after {}{} bytes", failure.origin.text, failure.received, of_all));
}

Error certificate_error(const FailedTransfer& failure) {
  return invalid(fmt::format("TLS: the certificate of {} is not trusted ({}): set AWS_CA_BUNDLE or fix the certificate",
                             failure.origin.text, cause(failure)));
}

Error handshake_error(const FailedTransfer& failure) {
  if (failure.detail.find("wrong version number") != std::string::npos) {
    return invalid(fmt::format("TLS: {} does not speak TLS; is it an http endpoint?", failure.origin.text));
  }
  return unavailable(fmt::format("TLS handshake with {} failed: {}", failure.origin.text, cause(failure)));
}

Error ca_bundle_error(const FailedTransfer& failure) {
  return invalid(fmt::format("TLS: cannot use the CA bundle {}: {}", failure.ca_bundle.empty() ? "of the system" : failure.ca_bundle,
                             failure.detail.empty() ? curl_easy_strerror(failure.code) : failure.detail));
}

}  // namespace

Error to_error(const FailedTransfer& failure) {
  const std::string& origin = failure.origin.text;
  switch (failure.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return unavailable(fmt::format("cannot resolve host {} ({}); check the endpoint and DNS", failure.origin.host, cause(failure)));
    case CURLE_COULDNT_RESOLVE_PROXY:
      return unavailable(fmt::format("cannot resolve the proxy on the way to {} ({}); check the proxy variables", origin, cause(failure)));
    case CURLE_PROXY:
      return unavailable(fmt::format("the proxy on the way to {} failed: {}", origin, cause(failure)));
    case CURLE_COULDNT_CONNECT:
      return connect_error(failure);
    case CURLE_OPERATION_TIMEDOUT:
      return timeout_error(failure);
    case CURLE_GOT_NOTHING:
      return unavailable(fmt::format("{} closed the connection before it answered", origin));
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_FAIL_REWIND:
      return lost_error(failure);
    case CURLE_PARTIAL_FILE:
      return truncated_error(failure);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return certificate_error(failure);
    case CURLE_SSL_CONNECT_ERROR:
      return handshake_error(failure);
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return ca_bundle_error(failure);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      // libcurl reports an HTTP/0.9 answer as an unsupported protocol too, but only after the request was begun.
      return failure.connected ? unavailable(fmt::format("{} did not answer in HTTP/1.1: {}", origin, cause(failure)))
                               : invalid(fmt::format("the URL for {} is not valid: {}", origin, cause(failure)));
    case CURLE_OUT_OF_MEMORY:
      if (failure.connected) {  // what libcurl 7.88 says of a header line over its 100 KiB
        return unavailable(fmt::format("{} sent a header line that is too long", origin));
      }
      [[fallthrough]];
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_FAILED_INIT:
      return {Errc::internal, fmt::format("libcurl failed on a request to {}: {}", origin, cause(failure)), {}};
    default:
      return unavailable(fmt::format("the request to {} failed: {}", origin, cause(failure)));
  }
}

std::string describe_duration(std::chrono::milliseconds duration) {
  return duration.count() % 1000 == 0 ? fmt::format("{} s", duration.count() / 1000) : fmt::format("{} ms", duration.count());
}

}  // namespace prefixfs::http
