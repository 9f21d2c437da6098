#pragma once

#include <map>
#include <string>
#include <string_view>

#include "prefixfs/base/result.h"

namespace prefixfs::aws {

/// The dialect of ~/.aws/config and ~/.aws/credentials.
/// Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files", section on the format.
struct IniFile {
  /// Names in lower case. A nested block ("s3 =" followed by indented lines) gives names like "s3.endpoint_url".
  using Properties = std::map<std::string, std::string>;
  /// By the words within the brackets, blanks folded and quotes removed: "default", "profile resumes", "services local".
  std::map<std::string, Properties> sections;
};

/// Sections of the same name are merged; of two properties with the same name the later one counts.
/// Errors: invalid; the sentence names `path` and the line, and quotes nothing, since the line may hold a secret.
Result<IniFile> parse_ini(std::string_view text, const std::string& path);

}  // namespace prefixfs::aws
