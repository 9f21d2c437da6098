#pragma once
// The JSON that people write: the configuration file and fault rules. Unknown fields and wrong types are errors, not ignored.

#include <string>
#include <string_view>
#include <vector>

#include "access.h"
#include "faults.h"
#include "prefixfs/base/result.h"

namespace prefixfs::devs3 {

struct Configuration {
  std::vector<AccessKey> keys;
  std::vector<BucketRules> buckets;
};

/// Errors: invalid, with the place.
Result<Configuration> parse_configuration(std::string_view text);
/// A list of rules, or one.
Result<std::vector<FaultRule>> parse_fault_rules(std::string_view text);
std::string fault_counts_json(const std::vector<Faults::Count>& counts);

}  // namespace prefixfs::devs3
