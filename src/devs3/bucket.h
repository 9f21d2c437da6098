#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "journal.h"
#include "list.h"
#include "object.h"
#include "prefixfs/base/clock.h"
#include "s3_error.h"

namespace prefixfs::devs3 {

struct BucketInfo {
  std::string name;
  std::string region;
  WallTime created{};
};

/// The index of one bucket: objects and open uploads in memory, every change appended to the bucket's journal before it is seen.
/// Thread-safe. A condition is judged under the same lock as the change it guards, so conditional writes are exact.
class Bucket {
 public:
  /// Judges the object that is there now (null: none); a refusal leaves everything as it is.
  using Guard = std::function<Outcome<void>(const Object* present)>;

  static Result<std::unique_ptr<Bucket>> load(BucketInfo info, const std::filesystem::path& journal, DataFiles& files);

  const BucketInfo& info() const { return info_; }

  ObjectPtr find(std::string_view key) const;
  Outcome<ObjectPtr> put(Object object, const Guard& guard);
  /// What is no new version of it: tags, ACL, a restore. Refuses with OperationAborted where `before` is not the object any more.
  Outcome<void> change(const ObjectPtr& before, const std::function<void(Object&)>& edit);
  Outcome<void> remove(const std::string& key, const Guard& guard);
  ListPage list(const ListQuery& query) const;
  bool empty() const;

  Outcome<void> create_upload(Upload upload);
  /// A copy with its parts. Refuses with NoSuchUpload, also where the upload belongs to another key.
  Outcome<Upload> find_upload(std::string_view key, std::string_view id) const;
  Outcome<void> put_part(std::string_view key, std::string_view id, Part part);
  Outcome<void> abort_upload(std::string_view key, std::string_view id);
  /// Replaces the upload by the object, in one step.
  Outcome<ObjectPtr> complete_upload(std::string_view id, Object object, const Guard& guard);
  /// In the order of key and id, without their parts' extents being copied more than once.
  std::vector<Upload> uploads() const;

 private:
  Bucket(BucketInfo info, Journal journal) : info_(std::move(info)), journal_(std::move(journal)) {}
  void apply(std::string_view line, DataFiles& files);
  Outcome<void> write(const std::string& lines);
  std::string snapshot() const;

  BucketInfo info_;
  mutable std::shared_mutex mutex_;  ///< guards all below; held over one append, never over network calls
  Journal journal_;
  ObjectMap objects_;
  std::map<std::string, Upload, std::less<>> uploads_;  ///< by id
};

}  // namespace prefixfs::devs3
