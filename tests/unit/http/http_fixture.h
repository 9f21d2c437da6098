#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "prefixfs/http/engine.h"
#include "support/test_http_server.h"

namespace prefixfs::http {

using test::http_answer;
using test::ReceivedRequest;
using test::TestConnection;
using test::TestHttpServer;
using namespace std::chrono_literals;

/// A flag that one thread sets and another waits for.
class Event {
 public:
  void set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  /// False after ten seconds.
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [this] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

/// Keeps what arrives; fails where it is told to.
class RecordingSink final : public ResponseSink {
 public:
  Result<void> begin(const Response& head) override {
    ++begun;
    status = head.status;
    content_range = std::string(head.header("content-range").value_or(""));
    if (fail_begin) {
      return fail(Errc::no_space, "the sink is full");
    }
    return {};
  }
  Result<void> accept(std::span<const std::byte> data) override {
    bytes.append(reinterpret_cast<const char*>(data.data()), data.size());
    ++pieces;
    if (bytes.size() >= tell_from) {
      told.set();
    }
    if (bytes.size() > fail_after) {
      return fail(Errc::io, "the sink broke");
    }
    return {};
  }

  int begun = 0;
  int status = 0;
  std::string content_range;
  std::string bytes;
  std::size_t pieces = 0;
  std::size_t tell_from = SIZE_MAX;
  Event told;  ///< so many bytes are there
  bool fail_begin = false;
  std::size_t fail_after = SIZE_MAX;
};

/// Bytes that follow from their offset, so that a wrong offset shows.
class PatternSource final : public BodySource {
 public:
  explicit PatternSource(std::uint64_t size, std::uint64_t fail_from = UINT64_MAX) : size_(size), fail_from_(fail_from) {}
  std::uint64_t size() const override { return size_; }
  Result<void> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset + out.size() > size_) {
      return fail(Errc::internal, "read past the end");
    }
    if (offset >= fail_from_) {
      return fail(Errc::io, "the disk broke");
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<std::byte>(byte_at(offset + i));
    }
    return {};
  }
  static char byte_at(std::uint64_t offset) { return static_cast<char>((offset * 31 + (offset >> 12)) & 0xff); }
  std::string text() const {
    std::string all(size_, '\0');
    for (std::uint64_t i = 0; i < size_; ++i) {
      all[i] = byte_at(i);
    }
    return all;
  }

 private:
  std::uint64_t size_;
  std::uint64_t fail_from_;
};

class EngineTest : public ::testing::Test {
 protected:
  /// The machine's proxies are no business of the tests.
  EngineTest() {
    for (const char* const name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"}) {
      ::unsetenv(name);
    }
    engine = make_curl_engine({});
  }
  static Request get(std::string url) { return {.method = "GET", .url = std::move(url), .headers = {}}; }
  static Request put(std::string url, const BodySource& body) {
    return {.method = "PUT", .url = std::move(url), .headers = {}, .body = &body};
  }
  Result<Response> perform(const Request& request, ResponseSink* sink = nullptr) { return engine->perform(request, sink, {}); }

  std::unique_ptr<Engine> engine;
};

}  // namespace prefixfs::http
