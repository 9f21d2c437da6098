#include "prefixfs/sync/prefix_move.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <mutex>

#include "prefixfs/base/parallel.h"
#include "prefixfs/sync/object_copy.h"

namespace prefixfs::sync {
namespace {

constexpr std::size_t kRemovalsMax = 1000;   // of one DeleteObjects
constexpr std::size_t kRemovalThreads = 8;
constexpr int kVersionsMax = 4;  // of one object that another client keeps writing while it is copied

/// The first error of several threads; the others see that it is there.
class FirstError {
 public:
  void set(Error error) {
    const std::lock_guard lock(mutex_);
    if (!there_) {
      error_ = std::move(error);
      there_ = true;
    }
  }
  bool there() const { return there_; }
  Result<void> result() const { return there_ ? Result<void>(fail(error_)) : Result<void>(); }

 private:
  std::mutex mutex_;
  std::atomic<bool> there_ = false;
  Error error_;
};

}  // namespace

PrefixMove::PrefixMove(s3::ObjectStore& store, std::string source, std::string destination, const PrefixMoveOptions& options,
                       MoveProgress& progress, Log& log)
    : store_(store), source_(std::move(source)), destination_(std::move(destination)), options_(options), progress_(progress), log_(log) {}

Result<void> PrefixMove::each_page(const std::string& prefix, const std::function<Result<void>(const ObjectInfo&)>& take,
                                   const CallContext& context) {
  std::string token;
  do {
    TRY_ASSIGN(const s3::ListPage page, store_.list({.prefix = prefix, .delimiter = "", .start_after = {}, .continuation_token = token}, context));
    for (const ObjectInfo& object : page.objects) {
      if (object.key.str().starts_with(prefix)) {
        TRY(take(object));
      }
    }
    token = page.next_token;
  } while (!token.empty());
  return {};
}

Result<void> PrefixMove::add(const ObjectInfo& object) {
  std::string name = object.key.str().substr(source_.size());
  if (objects_.size() == options_.objects_max) {
    return fail(Errc::unsupported, fmt::format("{} has more than {} objects below it, too many to rename at once", source_, options_.objects_max));
  }
  if (destination_.size() + name.size() > options_.key_bytes_max) {
    return fail(Errc::name_too_long, fmt::format("{}{} is longer than a key can be", destination_, name));
  }
  objects_.push_back({.name = std::move(name), .size = object.size, .version = object.etag, .copy = {}, .storage_class = object.storage_class});
  return {};
}

Result<void> PrefixMove::list(bool begun, const CallContext& context) {
  objects_.clear();
  TRY(each_page(source_, [&](const ObjectInfo& object) { return add(object); }, context));
  progress_.objects = objects_.size();
  progress_.copied = 0;
  if (!begun) {
    return {};
  }
  auto next = objects_.begin();
  return each_page(
      destination_,
      [&](const ObjectInfo& there) -> Result<void> {
        const std::string_view name = std::string_view(there.key.str()).substr(destination_.size());
        next = std::find_if(next, objects_.end(), [&](const MovedObject& object) { return object.name >= name; });
        if (next == objects_.end() || next->name != name) {
          return {};
        }
        if (next->is_marker() || is_copy(*next, there)) {
          next->copy = there.etag;
          ++progress_.copied;
        } else {
          foreign_ = there.key.str();
        }
        return {};
      },
      context);
}

bool PrefixMove::is_copy(const MovedObject& object, const ObjectInfo& there) const {
  return there.size == object.size && (there.etag == object.version || (copy_changes(object.version) && copy_changes(there.etag)));
}

Result<void> PrefixMove::copy(const CallContext& context) {
  if (!foreign_.empty()) {
    return fail(Errc::exists, fmt::format("{} was made by another client while its directory was renamed to it", foreign_));
  }
  FirstError failed;
  for_each_index(objects_.size(), options_.threads, [&](std::size_t index) {
    MovedObject& object = objects_[index];
    if (!object.copy.empty() || object.is_marker() || failed.there()) {
      return;
    }
    if (auto copied = copy_one(object, context); !copied) {
      failed.set(std::move(copied.error()));
      return;
    }
    ++progress_.copied;
  });
  TRY(failed.result());
  if (!objects_.empty() && objects_.front().is_marker()) {
    // Last, since it may take the place of another one.
    TRY(copy_one(objects_.front(), context));
    marker_copied_ = true;
    progress_.copied = objects_.size();
  }
  std::erase_if(objects_, [](const MovedObject& object) { return object.copy.empty(); });  // another client has deleted them meanwhile
  return {};
}

Result<void> PrefixMove::copy_one(MovedObject& object, const CallContext& context) {
  const Key source(source_ + object.name);
  const Key destination(destination_ + object.name);
  for (int version = 1;; ++version) {
    s3::CopyOptions options{.replace = {}, .storage = s3::storage_of(ObjectInfo{.storage_class = object.storage_class}), .condition = {}};
    if (!object.is_marker() && store_.capabilities().conditional_copy == s3::Support::yes) {
      options.condition = s3::WriteCondition::if_absent();
    }
    if (options_.keep_acls) {
      TRY_ASSIGN(options.grants, grants_to_keep(store_, source, log_, context));
    }
    auto copied = copy_object(store_, {.key = source, .if_match = object.version}, object.size, destination, options, context);
    if (copied) {
      object.copy = copied->etag;
      return {};
    }
    const Errc code = copied.error().code;
    if (code == Errc::invalid && object.size == 0 && source.str().ends_with('/')) {
      return write_marker(object, options.grants, context);
    }
    if ((code != Errc::conflict && code != Errc::not_found) || version == kVersionsMax) {
      return fail(std::move(copied.error()));
    }
    TRY_ASSIGN(const bool there, look_again(object, context));
    if (!there || !object.copy.empty()) {
      return {};
    }
  }
}

/// Some servers have directories where others have markers, and do not copy them (versitygw).
Result<void> PrefixMove::write_marker(MovedObject& object, const Grants& grants, const CallContext& context) {
  TRY_ASSIGN(const ObjectInfo info, store_.head(Key(source_ + object.name), context));
  const SpanSource nothing({});
  s3::ObjectHeaders headers = s3::headers_of(info);
  headers.grants = grants;
  TRY_ASSIGN(const s3::PutAnswer made, store_.put(Key(destination_ + object.name), nothing, headers, s3::WriteCondition::none(), context));
  object.copy = made.etag;
  return {};
}

/// Another client has written the source, or deleted it (false), or made the destination; or the copy is there already.
Result<bool> PrefixMove::look_again(MovedObject& object, const CallContext& context) {
  const Key source(source_ + object.name);
  const auto now = store_.head(source, context);
  if (!now) {
    return now.error().code == Errc::not_found ? Result<bool>(false) : fail(now.error());
  }
  if (now->etag == object.version) {
    // A request of a former process may have come through after the destination was listed.
    const auto there = store_.head(Key(destination_ + object.name), context);
    if (there && is_copy(object, *there)) {
      object.copy = there->etag;
      return true;
    }
    return fail(Errc::exists, fmt::format("{}{} was made by another client while {} was renamed to it", destination_, object.name, source.str()));
  }
  object.version = now->etag;
  object.size = now->size;
  object.storage_class = now->storage_class;
  return true;
}

Result<void> PrefixMove::remove_copies(const CallContext& context) {
  std::vector<s3::RemoveTarget> targets;
  for (const MovedObject& object : objects_) {
    if (!object.copy.empty() && (!object.is_marker() || marker_copied_)) {
      targets.push_back({.key = Key(destination_ + object.name), .if_match = object.copy, .best_effort = true});
    }
  }
  return remove(targets, context);
}

Result<void> PrefixMove::remove_sources(const CallContext& context) {
  std::vector<s3::RemoveTarget> targets;
  for (const MovedObject& object : objects_) {
    if (!object.copy.empty()) {
      targets.push_back({.key = Key(source_ + object.name), .if_match = object.version, .best_effort = true});
    }
  }
  return remove(targets, context);
}

Result<void> PrefixMove::remove(const std::vector<s3::RemoveTarget>& targets, const CallContext& context) {
  FirstError failed;
  const std::size_t batches = (targets.size() + kRemovalsMax - 1) / kRemovalsMax;
  for_each_index(batches, kRemovalThreads, [&](std::size_t batch) {
    if (failed.there()) {
      return;
    }
    const std::size_t begin = batch * kRemovalsMax;
    const auto part = std::span(targets).subspan(begin, std::min(kRemovalsMax, targets.size() - begin));
    auto outcomes = store_.remove_many(part, context);
    if (!outcomes) {
      failed.set(std::move(outcomes.error()));
      return;
    }
    for (s3::DeleteOutcome& outcome : *outcomes) {
      if (outcome.error && outcome.error->code == Errc::conflict) {
        log_.info("{} was written by another client while its directory was renamed here; that version stays", outcome.key.str());
      } else if (outcome.error && outcome.error->code != Errc::not_found) {
        failed.set(std::move(*outcome.error));
      }
    }
  });
  return failed.result();
}

}  // namespace prefixfs::sync
