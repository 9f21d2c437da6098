#pragma once
// No multipart upload outlives its process unknown: parts of one that nobody completes or aborts are paid for without end.

#include <memory>

#include "prefixfs/base/clock.h"
#include "prefixfs/meta/journal.h"
#include "prefixfs/s3/object_store.h"
#include "prefixfs/telemetry/log.h"

namespace prefixfs::sync {

/// Every upload is in the journal (IntentKind::upload) from before its first request until it has been completed or aborted.
/// Errors besides those of the inner store: those of the journal, before anything was sent.
std::unique_ptr<s3::ObjectStore> make_journalled_uploads(s3::ObjectStore& inner, meta::Journal& journal, const Clock& clock, Log& log);

/// Ends what a former process has begun: the upload of that id; where the process died before it knew the id, those of exactly this key that
/// were begun since then (another host whose upload of the same key is hit begins anew). The record is the caller's to erase.
Result<void> abort_former_upload(s3::ObjectStore& store, const meta::Intent& upload, const CallContext& context);

}  // namespace prefixfs::sync
