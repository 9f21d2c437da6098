#pragma once
// Log lines. Hides the logging library; every module gets a Log& through its constructor.

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace prefixfs {

enum class LogLevel { debug, info, warn, error };
std::optional<LogLevel> parse_log_level(std::string_view text);

/// Thread-safe. One call is one line; line breaks and control characters in it are escaped. Callers never pass secrets.
class Log {
 public:
  virtual ~Log() = default;
  virtual bool enabled(LogLevel level) const = 0;
  virtual void write(LogLevel level, std::string_view line) = 0;

  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) { format_line(LogLevel::debug, format, std::forward<Args>(args)...); }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) { format_line(LogLevel::info, format, std::forward<Args>(args)...); }
  template <class... Args>
  void warn(fmt::format_string<Args...> format, Args&&... args) { format_line(LogLevel::warn, format, std::forward<Args>(args)...); }
  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) { format_line(LogLevel::error, format, std::forward<Args>(args)...); }

 private:
  template <class... Args>
  void format_line(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(level)) {
      write(level, fmt::format(format, std::forward<Args>(args)...));
    }
  }
};

/// Where the lines go.
enum class LogTarget { stderr_stream, syslog, file };
/// `path` only for LogTarget::file (created with mode 0600, appended to). Falls back to stderr where the file cannot be opened.
std::unique_ptr<Log> make_log(LogTarget target, LogLevel level, const std::string& path = {});
/// Drops every line; for tests.
std::unique_ptr<Log> make_null_log();

}  // namespace prefixfs
