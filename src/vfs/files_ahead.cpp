#include "files_ahead.h"

#include <algorithm>

#include "attributes.h"
#include "prefixfs/base/wait_within.h"
#include "prefixfs/s3/breaker.h"

namespace prefixfs::vfs {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kAtOnce = 32;
constexpr std::size_t kDirectoriesMax = 256;
constexpr std::size_t kNamesAtOnce = 64;
constexpr std::size_t kNamesToFindOrder = 16;
// Of the bytes that programs open one in so many may be fetched for nothing; a little is free, so that it can begin.
constexpr std::uint64_t kOpenedForOneUnused = 20;
constexpr std::uint64_t kFreeUnusedBytes = 4 << 20;
// So long ago programs may have been in the directory that they read before.
constexpr auto kContinues = 1s;
// Where S3 does not answer, or asks for less.
constexpr auto kPause = 5s;

FilesAheadLimits limits_of(const Settings& settings) {
  FilesAheadLimits limits{.files_max = settings.files_ahead_max};
  limits.bytes_max = std::min(limits.bytes_max, settings.cache_bytes_max / 4);
  limits.believed_for = settings.immutable ? std::chrono::hours(1) : settings.freshness;
  return limits;
}

}  // namespace

FilesAhead::FilesAhead(const Parts& parts) : p_(parts), limits_(limits_of(parts.settings)) {}

FilesAhead::~FilesAhead() { ended_.request_stop(); }

void FilesAhead::opened(InodeId id, const CallContext& context) {
  if (limits_.files_max == 0 || limits_.believed_for <= std::chrono::nanoseconds::zero()) {
    return;
  }
  const auto file = p_.nodes.get(id);
  if (file && *file && (*file)->kind == NodeKind::file) {
    note(**file);
    learn_names((*file)->parent);
    start((*file)->parent, context);
  }
}

void FilesAhead::wait_for(InodeId file, const CallContext& context) {
  std::unique_lock lock(mutex_);
  const auto found = on_their_way_.find(file);
  if (found == on_their_way_.end()) {
    return;
  }
  if (!found->second) {
    on_their_way_.erase(found);  // its turn has not come: the caller is quicker
    return;
  }
  // It ends by the deadline of the open that began it, which may be later than the caller's.
  wait_within(arrived_, lock, context, [&] { return !on_their_way_.contains(file); });
}

void FilesAhead::closed(InodeId directory, bool whole) {
  const std::lock_guard lock(mutex_);
  if (const auto found = directories_.find(directory); found != directories_.end()) {
    found->second.reads_whole = whole;
  }
}

FilesAhead::Directory& FilesAhead::directory_locked(InodeId id) {
  if (const auto found = directories_.find(id); found != directories_.end()) {
    return found->second;
  }
  if (directories_.size() >= kDirectoriesMax) {
    const auto oldest = std::ranges::min_element(directories_, {}, [](const auto& entry) { return entry.second.order.advanced_at(); });
    oldest->second.order.give_up();
    unused_bytes_ += oldest->second.order.take_unused();
    directories_.erase(oldest);
  }
  return directories_.try_emplace(id, limits_).first->second;
}

/// Programs have just read another directory in order, so they go through a tree.
bool FilesAhead::continues_locked(InodeId directory, SteadyTime now) const {
  return std::ranges::any_of(directories_, [&](const auto& entry) {
    return entry.first != directory && entry.second.order.in_order() && entry.second.order.advanced_at() + kContinues > now;
  });
}

bool FilesAhead::is_first_file(const meta::Node& file) const {
  const auto before = p_.nodes.children(file.parent, {.behind = {}, .up_to = meta::place_of(file.name)}, kNamesAtOnce);
  const auto first = before ? std::ranges::find(*before, NodeKind::file, &meta::Node::kind) : std::vector<meta::Node>::const_iterator();
  return before && first != before->end() && first->id == file.id;
}

void FilesAhead::note(const meta::Node& file) {
  const SteadyTime now = p_.clock.steady();
  bool continues = false;
  {
    const std::lock_guard lock(mutex_);
    opened_bytes_ += bytes_of(file, false);
    if (directory_locked(file.parent).order.follows(file.id, now)) {
      return;
    }
    continues = continues_locked(file.parent, now);
  }
  continues = continues && is_first_file(file);
  const std::lock_guard lock(mutex_);
  Directory& directory = directory_locked(file.parent);
  directory.order.begin(file.id, file.name, continues, now);
  unused_bytes_ += directory.order.take_unused();
}

void FilesAhead::learn_names(InodeId id) {
  std::string after;
  std::size_t names = kNamesToFindOrder;
  bool whole = false;
  {
    const std::lock_guard lock(mutex_);
    const Directory& directory = directory_locked(id);
    const std::string* wanted = directory.order.wants_names();
    if (wanted == nullptr) {
      return;
    }
    after = *wanted;
    whole = directory.reads_whole;
    names = directory.order.in_order() ? kNamesAtOnce : kNamesToFindOrder;
  }
  const auto nodes = p_.nodes.children(id, {.behind = meta::place_of(after), .up_to = {}}, names);
  std::vector<NextFile> files;
  for (const meta::Node& node : nodes ? *nodes : std::vector<meta::Node>()) {
    if (node.kind == NodeKind::file) {
      files.push_back({.id = node.id, .bytes = bytes_of(node, whole)});
    }
  }
  const bool more = nodes && nodes->size() == names;
  const std::lock_guard lock(mutex_);
  directory_locked(id).order.add(after, std::move(files), more ? nodes->back().name : std::string());
}

/// Files that are read to their end come whole, up to the size at which reading ahead within the file does as well.
std::uint64_t FilesAhead::bytes_of(const meta::Node& file, bool whole) const {
  const bool all = whole && file.size <= p_.settings.read_part_bytes;
  return all ? file.size : std::min(file.size, p_.settings.first_block_bytes);
}

/// What waits in directories in which no program has gone on since one began to read here: perhaps for nothing.
std::uint64_t FilesAhead::left_behind_locked(const ReadingOrder& now) const {
  std::uint64_t bytes = 0;
  for (const auto& [id, directory] : directories_) {
    bytes += directory.order.advanced_at() < now.began_at() ? directory.order.bytes_ahead() : 0;
  }
  return bytes;
}

void FilesAhead::start(InodeId id, const CallContext& context) {
  const std::lock_guard lock(mutex_);
  Directory& directory = directory_locked(id);
  unused_bytes_ += directory.order.take_unused();
  const std::uint64_t unused = unused_bytes_ + left_behind_locked(directory.order);
  const bool thrifty = unused <= kFreeUnusedBytes + opened_bytes_ / kOpenedForOneUnused;
  if (!thrifty || p_.clock.steady() < paused_until_) {
    return;
  }
  for (const NextFile& file : directory.order.take()) {
    if (!on_their_way_.try_emplace(file.id, false).second) {
      continue;
    }
    if (!pool_) {
      pool_.emplace("ahead", kAtOnce);
    }
    // They go on when this open is interrupted, so its deadline is kept, its cancellation is not.
    pool_->submit([this, id = file.id, bytes = file.bytes, deadline = context.deadline] {
      fetch(id, bytes, {.deadline = deadline, .cancel = ended_.get_token()});
    });
  }
}

void FilesAhead::fetch(InodeId file, std::uint64_t bytes, const CallContext& context) {
  if (begins(file)) {
    ends(file, fetch_beginning(file, bytes, context));
  }
}

/// Not where it has been opened meanwhile.
bool FilesAhead::begins(InodeId file) {
  const std::lock_guard lock(mutex_);
  const auto found = on_their_way_.find(file);
  if (found == on_their_way_.end() || found->second || ended_.stop_requested()) {
    return false;
  }
  found->second = true;
  return true;
}

Result<void> FilesAhead::fetch_beginning(InodeId file, std::uint64_t bytes, const CallContext& context) {
  TRY_ASSIGN(const SubtreeGate::Pass pass, p_.gate.look({file, {}}, context));
  TRY_ASSIGN(const std::optional<meta::Node> before, p_.nodes.get(file));
  if (!before || !p_.resolver.asks_to_open(*before)) {
    return {};
  }
  TRY_ASSIGN(const meta::Node now, p_.resolver.fetch_beginning(before->parent, before->name, bytes, context));
  if (now.id == file && (now.size != before->size || !same_permissions(now.posix, before->posix))) {
    p_.untold.add(file);  // the kernel judges by what a listing has said, until it looks again
  }
  return {};
}

void FilesAhead::ends(InodeId file, const Result<void>& fetched) {
  const std::lock_guard lock(mutex_);
  if (!fetched && (s3::is_outage(fetched.error()) || fetched.error().code == Errc::throttled)) {
    paused_until_ = p_.clock.steady() + kPause;
  }
  on_their_way_.erase(file);
  arrived_.notify_all();
}

}  // namespace prefixfs::vfs
