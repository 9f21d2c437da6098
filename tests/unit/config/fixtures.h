#pragma once
// Files and variables out of maps.

#include <map>
#include <string>
#include <vector>

#include "prefixfs/base/environment.h"
#include "prefixfs/config/options.h"

namespace prefixfs::config {

class MapFiles final : public FileReader {
 public:
  std::map<std::string, std::string> texts;
  Result<std::string> read(const std::string& path) const override {
    const auto found = texts.find(path);
    return found == texts.end() ? fail(Errc::not_found, path + " is not there") : Result<std::string>(found->second);
  }
};

class MapEnvironment final : public Environment {
 public:
  std::map<std::string, std::string, std::less<>> variables;
  std::optional<std::string> get(std::string_view name) const override {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
};

/// Parses "prefixfs s3://bucket/prefix /mnt -o LIST".
inline Result<Options> parse_list(const std::string& list, const MapFiles& files = {}) {
  TRY_ASSIGN(Invocation invocation, parse_invocation("prefixfs", {"s3://bucket/prefix", "/mnt", "-o", list}, "/home/u", files));
  return invocation.options;
}

}  // namespace prefixfs::config
