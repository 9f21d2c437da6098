#pragma once

#include "operations.h"

namespace prefixfs::devs3 {

/// Proves who asks: region of the scope, key, token, time and signature. Sets request.authentication and request.who.
/// `allow_unsigned_payload`: UNSIGNED-PAYLOAD without TLS, which a careful client never sends.
Outcome<void> authenticate(Context& context, Request& request, bool allow_unsigned_payload);

}  // namespace prefixfs::devs3
