#pragma once
// What was asked and what was answered. The tests of prefixfs count its requests here.

#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "http_message.h"
#include "prefixfs/base/clock.h"
#include "prefixfs/base/result.h"

namespace prefixfs::devs3 {

struct LogRecord {
  std::uint64_t seq = 0;
  WallTime time{};
  std::int64_t duration_us = 0;
  std::string method, operation, bucket, key, query;
  int status = 0;    ///< 0: the connection was closed without an answer
  std::string code;  ///< of the error, empty for none
  std::string fault; ///< the rule that was applied, empty for none
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::string range, if_match, if_none_match, copy_source;
  std::vector<Header> headers;  ///< without authorization and token
};

std::string to_json(const LogRecord& record);

/// Thread-safe. Keeps the last 100,000 records in memory where asked to, and writes lines to a file where there is one.
class RequestLog {
 public:
  RequestLog(bool keep, std::FILE* file) : keep_(keep), file_(file) {}

  /// Numbers the record. Called when the answer is decided and before it is sent, so that a client which has its answer finds its
  /// request in the log.
  std::uint64_t add(LogRecord record);
  /// Once sent: how much of it got through.
  void finish(std::uint64_t seq, std::uint64_t bytes_out, std::int64_t duration_us);
  /// A JSON array of the records after `since`, in order.
  std::string after(std::uint64_t since) const;
  void clear();

 private:
  const bool keep_;
  std::FILE* const file_;  ///< not owned; null: none
  mutable std::mutex mutex_;
  std::uint64_t next_ = 1;
  std::deque<LogRecord> records_;
  std::deque<LogRecord> unwritten_;  ///< added and not yet finished, for the file
};

}  // namespace prefixfs::devs3
