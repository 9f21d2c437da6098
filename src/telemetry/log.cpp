#include "prefixfs/telemetry/log.h"

#include <fcntl.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/syslog_sink.h>
#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "fd_sink.h"
#include "prefixfs/base/escape.h"

namespace prefixfs {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// The level as "warn " : our names, in a column of five.
class LevelColumn final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string_view text = name(message.level);
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<spdlog::custom_flag_formatter> clone() const override { return std::make_unique<LevelColumn>(); }

 private:
  static std::string_view name(spdlog::level::level_enum level) {
    switch (level) {
      case spdlog::level::debug: return "debug";
      case spdlog::level::info: return "info ";
      case spdlog::level::warn: return "warn ";
      default: return "error";
    }
  }
};

class SpdlogLog final : public Log {
 public:
  SpdlogLog(spdlog::sink_ptr sink, LogLevel level) : logger_("prefixfs", std::move(sink)) {
    logger_.set_level(spdlog_level(level));
  }
  bool enabled(LogLevel level) const override { return logger_.should_log(spdlog_level(level)); }
  void write(LogLevel level, std::string_view line) override { logger_.log(spdlog_level(level), "{}", escape_control(line)); }

 private:
  spdlog::logger logger_;  // not in spdlog's registry, which is a global
};

class NullLog final : public Log {
 public:
  bool enabled(LogLevel) const override { return false; }
  void write(LogLevel, std::string_view) override {}
};

std::unique_ptr<Log> make_fd_log(UniqueFd fd, LogLevel level) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<LevelColumn>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %* %v");
  auto sink = std::make_shared<FdSink>(std::move(fd));
  sink->set_formatter(std::move(formatter));
  return std::make_unique<SpdlogLog>(std::move(sink), level);
}

// A copy of the descriptor, so that the log does not close the stream of the process.
std::unique_ptr<Log> make_stderr_log(LogLevel level) { return make_fd_log(UniqueFd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)), level); }

std::unique_ptr<Log> make_syslog_log(LogLevel level) {
  // syslogd adds the time and knows the level.
  return std::make_unique<SpdlogLog>(std::make_shared<spdlog::sinks::syslog_sink_mt>("prefixfs", LOG_PID, LOG_DAEMON, false), level);
}

std::unique_ptr<Log> make_file_log(LogLevel level, const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600));
  if (!fd) {
    const std::string reason = std::generic_category().message(errno);
    auto log = make_stderr_log(level);
    log->error("cannot open the log file {}: {}; log lines go to stderr", path, reason);
    return log;
  }
  return make_fd_log(std::move(fd), level);
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view text) {
  if (text == "debug") {
    return LogLevel::debug;
  }
  if (text == "info") {
    return LogLevel::info;
  }
  if (text == "warn") {
    return LogLevel::warn;
  }
  if (text == "error") {
    return LogLevel::error;
  }
  return std::nullopt;
}

std::unique_ptr<Log> make_log(LogTarget target, LogLevel level, const std::string& path) {
  switch (target) {
    case LogTarget::stderr_stream: return make_stderr_log(level);
    case LogTarget::syslog: return make_syslog_log(level);
    case LogTarget::file: return make_file_log(level, path);
  }
  return make_stderr_log(level);
}

std::unique_ptr<Log> make_null_log() { return std::make_unique<NullLog>(); }

}  // namespace prefixfs
