#pragma once

#include <string>
#include <variant>

#include "prefixfs/aws/credentials.h"

namespace prefixfs::aws {

/// The source is not set up here: the chain goes on to the next one.
struct NotHere {
  std::string why;  ///< for the sentence that lists what was tried
};

/// One place where credentials may come from. Asked by one thread at a time; keeps no credentials.
class CredentialsSource {
 public:
  using Answer = std::variant<Credentials, NotHere>;

  virtual ~CredentialsSource() = default;
  /// "environment", "shared files", "instance metadata".
  virtual std::string name() const = 0;
  /// Errors: credentials, unavailable (it may answer later), timeout, cancelled.
  /// An error means that the source is set up but does not work: the chain stops, because
  /// going on would make the mount somebody else than its administrator meant. No sentence holds a secret.
  virtual Result<Answer> fetch(const CallContext& context) = 0;
};

}  // namespace prefixfs::aws
