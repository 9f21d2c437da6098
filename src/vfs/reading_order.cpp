#include "reading_order.h"

#include <algorithm>
#include <utility>

namespace prefixfs::vfs {
namespace {

// So far behind the last one opened may come what others work on, or what a program takes in a slightly different order.
constexpr std::size_t kLateFilesMax = 16;
constexpr std::size_t kRecentMax = 64;
// So many others in a row do not end an order: another program, or one of several that began before the first that was seen.
constexpr std::size_t kStraysMax = 2;
// Of what is fetched one in so many may be left out.
constexpr std::size_t kUsedForOneLeftOut = 20;
constexpr std::size_t kDoublingsMax = 16;

}  // namespace

bool ReadingOrder::follows(InodeId file, SteadyTime now) {
  const auto found = std::ranges::find(next_, file, [](const Entry& entry) { return entry.file.id; });
  if (found == next_.end()) {
    const bool known = std::ranges::find(recent_, file) != recent_.end();
    return known || (in_order() && ++strays_ <= kStraysMax);
  }
  strays_ = 0;
  if (found->opened) {
    return true;
  }
  found->opened = true;
  position_ = std::max(position_, static_cast<std::size_t>(found - next_.begin()) + 1);
  ++run_;
  note_pace(now);
  drop_passed();
  return true;
}

void ReadingOrder::note_pace(SteadyTime now) {
  const std::chrono::nanoseconds step = now - advanced_at_;
  pace_ = run_ <= kBelievedAfter ? step : (pace_ * 3 + step) / 4;
  advanced_at_ = now;
}

void ReadingOrder::begin(InodeId file, std::string name, bool continued, SteadyTime now) {
  give_up();
  recent_.assign(1, file);
  known_up_to_ = std::move(name);
  run_ = continued ? kBelievedAfter : 1;
  left_out_ = 0;
  pace_ = {};
  began_at_ = now;
  advanced_at_ = now;
}

void ReadingOrder::give_up() {
  for (const Entry& entry : next_) {
    leave_out(entry);
  }
  next_.clear();
  position_ = 0;
  run_ = 0;
  strays_ = 0;
}

void ReadingOrder::leave_out(const Entry& entry) {
  if (entry.fetched && !entry.opened) {
    ++left_out_;
    unused_ += entry.file.bytes;
  }
}

void ReadingOrder::drop_passed() {
  while (position_ > 0 && (next_.front().opened || position_ > kLateFilesMax)) {
    leave_out(next_.front());
    recent_.push_back(next_.front().file.id);
    next_.pop_front();
    --position_;
  }
  while (recent_.size() > kRecentMax) {
    recent_.pop_front();
  }
}

std::size_t ReadingOrder::depth() const {
  if (!in_order() || left_out_ * kUsedForOneLeftOut > run_ + kUsedForOneLeftOut) {
    return 0;
  }
  const std::size_t ramp = std::size_t{1} << std::min(run_ - 1, kDoublingsMax);
  const auto in_time = pace_.count() > 0 ? static_cast<std::size_t>(limits_.believed_for / 2 / pace_) : limits_.files_max;
  return std::min({ramp, std::max<std::size_t>(in_time, 1), limits_.files_max});
}

const std::string* ReadingOrder::wants_names() const {
  return !known_up_to_.empty() && next_.size() - position_ < std::max(depth(), kLateFilesMax) ? &known_up_to_ : nullptr;
}

void ReadingOrder::add(std::string_view after, std::vector<NextFile> files, std::string last) {
  if (after != known_up_to_) {
    return;
  }
  for (NextFile& file : files) {
    next_.push_back({std::move(file)});
  }
  known_up_to_ = std::move(last);
}

std::uint64_t ReadingOrder::bytes_ahead() const {
  std::uint64_t bytes = 0;
  for (const Entry& entry : next_) {
    bytes += entry.fetched && !entry.opened ? entry.file.bytes : 0;
  }
  return bytes;
}

std::vector<NextFile> ReadingOrder::take() {
  std::vector<NextFile> files;
  const std::size_t end = std::min(next_.size(), position_ + depth());
  std::uint64_t bytes = bytes_ahead();
  for (std::size_t index = position_; index < end; ++index) {
    Entry& entry = next_[index];
    if (entry.fetched || entry.opened) {
      continue;
    }
    bytes += entry.file.bytes;
    if (bytes > limits_.bytes_max) {
      break;
    }
    entry.fetched = true;
    files.push_back(entry.file);
  }
  return files;
}

std::uint64_t ReadingOrder::take_unused() { return std::exchange(unused_, 0); }

}  // namespace prefixfs::vfs
