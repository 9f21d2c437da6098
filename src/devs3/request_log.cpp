#include "request_log.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace prefixfs::devs3 {
namespace {

constexpr std::size_t kRecordsMax = 100'000;

LogRecord* find(std::deque<LogRecord>& records, std::uint64_t seq) {
  const auto it = std::ranges::lower_bound(records, seq, {}, &LogRecord::seq);
  return it == records.end() || it->seq != seq ? nullptr : &*it;
}

bool is_secret(const std::string& name) { return name == "authorization" || name == "x-amz-security-token"; }

/// A presigned URL carries its signature and token in the query.
std::string without_signature(const std::string& query) {
  std::string out;
  for (std::size_t begin = 0; begin < query.size();) {
    const auto end = std::min(query.find('&', begin), query.size());
    const auto word = query.substr(begin, end - begin);
    if (!word.starts_with("X-Amz-Signature=") && !word.starts_with("X-Amz-Security-Token=")) {
      out += (out.empty() ? "" : "&") + word;
    }
    begin = end + 1;
  }
  return out;
}

}  // namespace

std::string to_json(const LogRecord& record) {
  auto headers = nlohmann::json::object();
  for (const auto& header : record.headers) {
    if (!is_secret(header.name)) {
      headers[header.name] = header.value;
    }
  }
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(record.time.time_since_epoch()).count();
  const nlohmann::json out = {{"seq", record.seq}, {"time_ms", ms}, {"duration_us", record.duration_us}, {"method", record.method},
                              {"operation", record.operation}, {"bucket", record.bucket}, {"key", record.key},
                              {"query", without_signature(record.query)}, {"status", record.status}, {"code", record.code},
                              {"fault", record.fault}, {"bytes_in", record.bytes_in}, {"bytes_out", record.bytes_out},
                              {"range", record.range}, {"if_match", record.if_match}, {"if_none_match", record.if_none_match},
                              {"copy_source", record.copy_source}, {"headers", std::move(headers)}};
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::uint64_t RequestLog::add(LogRecord record) {
  const std::lock_guard lock(mutex_);
  record.seq = next_++;
  const auto seq = record.seq;
  if (file_ != nullptr) {
    unwritten_.push_back(record);
  }
  if (keep_) {
    records_.push_back(std::move(record));
    if (records_.size() > kRecordsMax) {
      records_.pop_front();
    }
  }
  return seq;
}

void RequestLog::finish(std::uint64_t seq, std::uint64_t bytes_out, std::int64_t duration_us) {
  const std::lock_guard lock(mutex_);
  for (auto* records : {&records_, &unwritten_}) {
    if (auto* record = find(*records, seq)) {
      record->bytes_out = bytes_out;
      record->duration_us = duration_us;
    }
  }
  if (const auto it = std::ranges::lower_bound(unwritten_, seq, {}, &LogRecord::seq); it != unwritten_.end() && it->seq == seq) {
    const auto line = to_json(*it) + "\n";
    std::fwrite(line.data(), 1, line.size(), file_);
    std::fflush(file_);
    unwritten_.erase(it);
  }
}

std::string RequestLog::after(std::uint64_t since) const {
  const std::lock_guard lock(mutex_);
  std::string out = "[";
  for (auto it = std::ranges::upper_bound(records_, since, {}, &LogRecord::seq); it != records_.end(); ++it) {
    out += (out.size() == 1 ? "\n" : ",\n") + to_json(*it);
  }
  return out + "\n]\n";
}

void RequestLog::clear() {
  const std::lock_guard lock(mutex_);
  records_.clear();
}

}  // namespace prefixfs::devs3
