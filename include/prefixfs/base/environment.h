#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "prefixfs/base/result.h"

namespace prefixfs {

/// Environment variables. Thread-safe.
class Environment {
 public:
  virtual ~Environment() = default;
  /// Nothing when unset; an empty variable counts as unset, as in the AWS SDKs. HOME is never unset where the user has a home directory:
  /// mount(8) and systemd start a mount from fstab without it.
  virtual std::optional<std::string> get(std::string_view name) const = 0;
};

class ProcessEnvironment final : public Environment {
 public:
  std::optional<std::string> get(std::string_view name) const override;
};

/// Small files read whole (configuration, tokens). Thread-safe.
class FileReader {
 public:
  virtual ~FileReader() = default;
  /// At most 1 MiB. Errors: not_found, denied, too_large, io; the sentence names the path.
  virtual Result<std::string> read(const std::string& path) const = 0;
};

class SystemFileReader final : public FileReader {
 public:
  Result<std::string> read(const std::string& path) const override;
};

}  // namespace prefixfs
