#pragma once
// Lease objects in S3: read, written and removed under conditions.

#include <optional>

#include "lease_table.h"
#include "prefixfs/base/call_context.h"
#include "prefixfs/object/key.h"
#include "prefixfs/s3/object_store.h"

namespace prefixfs::locks {

/// Where the locks of that file are.
Key object_of(const Key& file);

/// A version of a lease object.
struct Seen {
  ETag etag;
  LeaseTable table;
};

/// Nothing: there is none. `known`: what was seen last, so that an unchanged one need not be sent.
Result<std::optional<Seen>> read_lease(s3::ObjectStore& store, const Key& object, const std::optional<Seen>& known, const CallContext& context);
/// In place of that version; without one only where there is none. Errors: conflict.
Result<Seen> write_lease(s3::ObjectStore& store, const Key& object, LeaseTable table, const std::optional<Seen>& in_place_of, const CallContext& context);
/// Errors: conflict.
Result<void> remove_lease(s3::ObjectStore& store, const Key& object, const Seen& seen, const CallContext& context);

/// Finds out, on an object of its own, whether the endpoint honours conditions on writes. Errors: unsupported (it does not), and those of the store.
Result<void> prove_conditions(s3::ObjectStore& store, std::string_view host, const CallContext& context);

}  // namespace prefixfs::locks
