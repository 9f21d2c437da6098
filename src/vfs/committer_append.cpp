// Two clients have appended to one object: what was appended here goes behind what is there now.

#include <algorithm>
#include <array>
#include <map>

#include "attributes.h"
#include "committer.h"
#include "open_note.h"

namespace prefixfs::vfs {
namespace {

constexpr int kMergesMax = 100;
constexpr std::chrono::milliseconds kFirstPauseMax{10};
constexpr std::chrono::milliseconds kPauseMax{500};
constexpr std::size_t kCopyBytes = 1 << 20;

/// What of `content` is behind the version that it goes on from; or, of a state that is stored already, behind `stored`.
std::uint64_t tail_begin(const Content& content, std::optional<std::uint64_t> stored) {
  return stored ? std::min(*stored, content.file->size()) : content.file->base_size();
}

Result<void> copy_tail(const stage::StagedFile& from, std::uint64_t begin, stage::StagedFile& to) {
  std::vector<std::byte> buffer(kCopyBytes);
  for (std::uint64_t at = begin; at < from.size();) {
    TRY_ASSIGN(const std::size_t got, from.read(at, buffer));
    TRY(to.write(to.size(), std::span(buffer).first(got)));
    at += got;
  }
  return {};
}

/// Compares the body with staged bytes, from `begin` of the file on.
class Comparison final : public s3::GetSink {
 public:
  Comparison(const stage::StagedFile& file, std::uint64_t begin) : file_(file), begin_(begin), at_(begin) {}
  Result<void> begin(const s3::GetAnswer&) override {
    at_ = begin_;
    same_ = true;
    return {};
  }
  Result<void> accept(std::span<const std::byte> data) override {
    std::vector<std::byte> mine(data.size());
    TRY_ASSIGN(const std::size_t got, file_.read(at_, mine));
    same_ = same_ && got == data.size() && std::ranges::equal(mine, data);
    at_ += data.size();
    return {};
  }
  bool same() const { return same_ && at_ == file_.size(); }

 private:
  const stage::StagedFile& file_;
  const std::uint64_t begin_;
  std::uint64_t at_;
  bool same_ = true;
};

}  // namespace

/// Whether all that this mount has of the file besides the version it started from was appended, by this state and by later ones.
bool Committer::only_appends(OpenFile& file, const State& state) {
  const std::lock_guard lock(file.mutex);
  return only_appends_locked(file, state);
}

bool Committer::only_appends_locked(const OpenFile& file, const State& state) {
  const bool mine = state.owed != nullptr ? state.owed->appends : file.appends;
  const bool later = file.content == state.content || file.appends;
  const bool owed = file.owed == nullptr || file.owed.get() == state.owed || file.owed->appends;
  return mine && later && owed && !file.exclusive && !file.unlinked;
}

/// Another client has made a newer version: the file goes on from that one. The caller then commits again.
/// Nothing, where that is not possible: the object is gone, or changes all the time.
Result<std::optional<sync::Committed>> Committer::append_to_newer(OpenFile& file, State& state, const Key& key, int conflicts,
                                                                  const CallContext& context) {
  if (conflicts >= kMergesMax) {
    return fail(Errc::conflict, key.str() + " is changed by other clients all the time");
  }
  const auto pause_max = std::min<std::chrono::nanoseconds>(kFirstPauseMax * (conflicts + 1), kPauseMax);
  const auto pause = std::chrono::nanoseconds(p_.random.next() % static_cast<std::uint64_t>(pause_max.count()));
  if (conflicts > 0 && !p_.clock.sleep_for(pause, context.cancel)) {
    return fail(Errc::cancelled, "the call was given up");
  }
  TRY_ASSIGN(const ObjectInfo newer, p_.store.head(key, context));
  TRY_ASSIGN(const bool goes_on, go_on_from(file, state, newer, {}));
  if (!goes_on) {
    return fail(Errc::conflict, key.str() + " was changed here as well meanwhile, not only appended to");
  }
  p_.log.info("{} was changed by another client; what was appended here goes behind it", key.str());
  const bool nothing_to_add = state.content->file->dirty_ranges().empty();
  return nothing_to_add ? std::optional(stored_already(state, newer)) : std::nullopt;
}

sync::Committed Committer::stored_already(const State& state, const ObjectInfo& info) {
  return {.etag = info.etag, .size = info.size, .change_count = state.content->file->change_count(), .headers = s3::headers_of(info)};
}

/// An answer was lost, and others may have appended since: our bytes stand where they were to go.
Result<std::optional<sync::Committed>> Committer::own_append(OpenFile& file, State& state, const ObjectInfo& info, const CallContext& context) {
  const stage::StagedFile& staged = *state.content->file;
  const ByteRange appended{staged.base_size(), staged.size()};
  if (appended.empty() || info.size < appended.end || !only_appends(file, state)) {
    return std::optional<sync::Committed>();
  }
  TRY_ASSIGN(const bool mine, holds(info, staged, appended.begin, context));
  if (!mine) {
    return std::optional<sync::Committed>();
  }
  std::uint64_t stored = appended.end;
  if (const auto later = later_state(file, state)) {
    // The journal may not have been told of that one either.
    TRY_ASSIGN(const bool also, later->file->size() > stored ? holds(info, *later->file, stored, context) : Result<bool>(false));
    stored = also ? later->file->size() : stored;
  }
  TRY_ASSIGN(const bool goes_on, go_on_from(file, state, info, stored));
  return goes_on ? std::optional(stored_already(state, info)) : std::nullopt;
}

/// What was acknowledged after this state, if something was.
std::shared_ptr<Content> Committer::later_state(OpenFile& file, const State& state) {
  const std::lock_guard lock(file.mutex);
  return file.owed != nullptr && file.owed.get() != state.owed ? file.owed->content : nullptr;
}

/// Whether the object has, in the same place, what the file has from `begin` on.
Result<bool> Committer::holds(const ObjectInfo& info, const stage::StagedFile& file, std::uint64_t begin, const CallContext& context) {
  const ByteRange range{begin, file.size()};
  if (info.size < range.end) {
    return false;
  }
  Comparison comparison(file, begin);
  const auto read = p_.store.get(info.key, {.range = range, .if_match = info.etag, .if_none_match = {}}, comparison, context);
  if (read) {
    return comparison.same();
  }
  const bool changed = read.error().code == Errc::conflict || read.error().code == Errc::not_found;
  return changed ? Result<bool>(false) : fail(read.error());
}

/// Each of the file's contents becomes `newer` and, behind it, what was appended here; `stored`: up to where that is in `newer` already.
/// False: programs have done something else with it since S3 was asked.
Result<bool> Committer::go_on_from(OpenFile& file, State& state, const ObjectInfo& newer, std::optional<std::uint64_t> stored) {
  std::map<std::shared_ptr<Content>, std::shared_ptr<Content>> next;
  {
    const std::lock_guard lock(file.mutex);
    if (!only_appends_locked(file, state)) {
      return false;
    }
    const std::shared_ptr<Content> owed = file.owed != nullptr ? file.owed->content : nullptr;
    for (const std::shared_ptr<Content>& content : {state.content, file.content, owed}) {
      if (content != nullptr && !next.contains(content)) {
        TRY_ASSIGN(next[content], behind(*content, newer, stored));
      }
    }
    const auto replace = [&next](std::shared_ptr<Content>& content) {
      if (content != nullptr) {
        content = next.at(content);
      }
    };
    if (state.owed != nullptr && state.owed != file.owed.get()) {
      replace(state.owed->content);
    }
    replace(state.content);
    replace(file.content);
    if (file.owed != nullptr) {
      replace(file.owed->content);
      file.owed->upload.reset();
    }
    state.upload.reset();
    file.upload.reset();  // no commit uses it: this is that commit, or a delivery, which commits come behind
    file.presumed_new = false;
    file.overwrites = false;
    file.stale = false;
    file.node.etag = newer.etag;
    file.node.storage_class = newer.storage_class;
    file.node.size = file.content != nullptr ? file.content->file->size() : newer.size;
    take_attributes_locked(file, state, newer);
    note_locked(file);
    p_.untold.add(file.node.id);
  }
  if (state.rebased != nullptr) {
    TRY((*state.rebased)());
  }
  for (const auto& [before, after] : next) {
    before->file->retain(false);
  }
  return true;
}

Result<std::shared_ptr<Content>> Committer::behind(const Content& content, const ObjectInfo& newer, std::optional<std::uint64_t> stored) {
  TRY_ASSIGN(std::shared_ptr<stage::StagedFile> staged, p_.stage.create(newer.size));
  TRY(copy_tail(*content.file, tail_begin(content, stored), *staged));
  TRY(staged->sync());
  staged->retain(content.file->retained());
  auto next = std::make_shared<Content>(std::move(staged), newer.etag);
  next->info = newer;  // not `opened`: the kernel's pages are of the content before
  return next;
}

}  // namespace prefixfs::vfs
