#pragma once

#include <array>
#include <memory>
#include <optional>
#include <semaphore>

#include "body_gather.h"
#include "curl_handles.h"
#include "origin.h"
#include "prefixfs/http/engine.h"
#include "progress_watch.h"

namespace prefixfs::http {

/// One request on its way, from perform() to its result. The caller waits in wait(); all else runs on the loop thread.
/// libcurl's callbacks end here; request, sink and body belong to the caller, who stays until the result is there.
class Transfer {
 public:
  Transfer(const Request& request, ResponseSink* sink, const CallContext& context, Origin origin,
           std::shared_ptr<const EngineOptions> options);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// Any thread, once. Blocks until finish().
  Result<Response> wait();

  const Origin& origin() const { return origin_; }
  SteadyTime deadline() const { return context_.until(); }
  bool finished() const { return finished_; }
  bool active() const { return easy_ != nullptr; }

  /// Sets up `easy`, which the transfer keeps until release(). What comes for the sink goes through `gather`. Errors: invalid (headers that cannot
  /// be sent).
  Result<void> start(EasyHandle easy, BodyGather& gather, SteadyTime now);
  CURL* easy() const { return easy_.get(); }
  EasyHandle release();

  /// From the gather. Where the sink refuses, check() or complete() says so.
  void give_to_sink(std::span<const std::byte> data);
  /// Looks at deadline, first byte and speed. Nothing: all is well.
  std::optional<Error> check(SteadyTime now);
  /// When check() is due even if nothing happens.
  SteadyTime next_check() const;

  /// libcurl is done with it.
  void complete(CURLcode code);
  /// Ends it with an error; wakes the caller.
  void abort(Error error);

 private:
  friend struct TransferCallbacks;

  ProgressWatch::Limits limits() const;
  Result<void> build_headers();
  void set_request_options();
  void set_connection_options();

  bool allow_attempt();
  std::size_t on_header(std::string_view line);
  std::size_t on_head_complete();
  std::size_t on_body(std::span<const std::byte> data);
  std::size_t on_read(std::span<std::byte> out);
  std::size_t reject(Error error);

  bool has_body() const { return body_size_ > 0; }
  bool wants_sink() const { return sink_ != nullptr && response_.status >= 200 && response_.status < 300; }
  std::uint64_t bytes_sent() const;
  ProgressWatch::Phase phase(std::uint64_t sent) const;
  const char* what_is_missing() const;
  Error silence_error(ProgressWatch::Verdict verdict) const;
  void finish(Result<Response> result);

  const Request& request_;
  ResponseSink* const sink_;
  const CallContext context_;
  const Origin origin_;
  const std::shared_ptr<const EngineOptions> options_;
  const std::uint64_t body_size_;

  EasyHandle easy_;
  BodyGather* gather_ = nullptr;  ///< of the loop
  HeaderList headers_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  ProgressWatch watch_;

  int attempts_ = 0;  ///< how often the request was begun on a connection
  std::uint64_t body_offset_ = 0;
  std::uint64_t received_ = 0;
  std::size_t head_bytes_ = 0;
  bool head_complete_ = false;
  Response response_;
  std::optional<Error> own_error_;  ///< why a callback told libcurl to stop

  bool finished_ = false;
  std::optional<Result<Response>> result_;
  std::binary_semaphore done_{0};
};

}  // namespace prefixfs::http
