#pragma once
// A report as records, and back. An older command may ask a newer daemon: what is not there is empty, what is not known is not looked at.

#include "prefixfs/admin/report.h"
#include "prefixfs/base/fields.h"

namespace prefixfs::admin {

/// What all owed changes come to.
struct OwedTotals {
  std::uint64_t changes = 0;
  std::uint64_t bytes = 0;
  std::uint64_t parked = 0;
  std::uint64_t newest = 0;  ///< id
  void add(const OwedChange& change);
};

Fields to_fields(const MountState& state);
Fields to_fields(const OwedChange& change);
Fields to_fields(const OwedTotals& totals);
Fields to_fields(const RestoreOutcome& outcome);
MountState mount_state_from(const Fields& record);
OwedChange owed_change_from(const Fields& record);
OwedTotals owed_totals_from(const Fields& record);
RestoreOutcome restore_outcome_from(const Fields& record);

}  // namespace prefixfs::admin
