#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "credentials_source.h"
#include "support/fake_clock.h"
#include "support/fake_environment.h"
#include "support/metadata_server.h"

namespace prefixfs::aws {

using namespace std::chrono_literals;
using test::FakeClock;
using test::FakeEnvironment;
using test::FakeFileReader;
using test::MetadataServer;

/// Keeps the lines. Thread-safe.
class RecordingLog final : public Log {
 public:
  bool enabled(LogLevel) const override { return true; }
  void write(LogLevel, std::string_view line) override {
    const std::lock_guard lock(mutex_);
    text_ += std::string(line) + "\n";
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

inline Error error_of(const Result<CredentialsSource::Answer>& answer) {
  return answer ? Error{Errc::internal, "no error", {}} : answer.error();
}

/// The credentials of an answer; a failed test and empty ones where it is something else.
inline Credentials credentials_of(const Result<CredentialsSource::Answer>& answer) {
  if (!answer) {
    ADD_FAILURE() << answer.error().what;
    return {};
  }
  if (const auto* not_here = std::get_if<NotHere>(&*answer)) {
    ADD_FAILURE() << "not here: " << not_here->why;
    return {};
  }
  return std::get<Credentials>(*answer);
}

/// Why the source is not there; a failed test where it is.
inline std::string not_here_of(const Result<CredentialsSource::Answer>& answer) {
  if (!answer) {
    ADD_FAILURE() << answer.error().what;
    return "";
  }
  const auto* not_here = std::get_if<NotHere>(&*answer);
  EXPECT_NE(not_here, nullptr);
  return not_here == nullptr ? "" : not_here->why;
}

inline CallContext no_limit() { return {}; }

}  // namespace prefixfs::aws
