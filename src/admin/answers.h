#pragma once
// What a daemon answers to one request. README.md has the protocol.

#include "channel.h"
#include "prefixfs/admin/report.h"

namespace prefixfs::admin {

/// Sends the whole answer. Errors: io (nobody takes it); what the request is refused for goes to the other end.
Result<void> answer(const Fields& request, Subject& subject, Channel& channel);

/// The last record of an answer that is an error.
Fields refusal(const Error& error);

}  // namespace prefixfs::admin
