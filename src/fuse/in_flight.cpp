#include "in_flight.h"

namespace prefixfs::fuse {

InFlight::InFlight(std::span<InFlightRecord> records) : records_(records) {
  for (std::size_t place = 0; place < records_.size(); ++place) {
    if (records_[place].unique != 0) {
      places_.emplace(records_[place].unique, place);
    } else {
      free_.push_back(place);
    }
  }
}

void InFlight::count_deaths() {
  const std::lock_guard lock(mutex_);
  for (InFlightRecord& record : records_) {
    record.deaths = static_cast<std::uint16_t>(record.deaths + record.in_hand);
    record.in_hand = 0;
  }
}

bool InFlight::admit(const fuse_in_header& header) {
  const std::uint64_t unique = header.unique & ~kResentBit;
  const std::lock_guard lock(mutex_);
  const auto known = places_.find(unique);
  if (known != places_.end()) {
    InFlightRecord& record = records_[known->second];
    record.in_hand = record.deaths < kDeathsMax ? 1 : 0;
    return record.in_hand != 0;
  }
  if (!free_.empty()) {
    records_[free_.back()] = {.unique = unique, .inode = header.nodeid, .opcode = header.opcode, .deaths = 0, .in_hand = 1};
    places_.emplace(unique, free_.back());
    free_.pop_back();
  }
  return true;
}

bool InFlight::holds(std::uint64_t unique) {
  const std::lock_guard lock(mutex_);
  return places_.contains(unique & ~kResentBit);
}

void InFlight::answered(std::uint64_t unique) {
  const std::lock_guard lock(mutex_);
  if (const auto known = places_.find(unique & ~kResentBit); known != places_.end()) {
    records_[known->second] = {};
    free_.push_back(known->second);
    places_.erase(known);
  }
}

void InFlight::let_go() {
  const std::lock_guard lock(mutex_);
  for (InFlightRecord& record : records_) {
    record.in_hand = 0;
  }
}

}  // namespace prefixfs::fuse
