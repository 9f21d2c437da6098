#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "bucket.h"
#include "data_files.h"
#include "prefixfs/base/clock.h"
#include "s3_error.h"

namespace prefixfs::devs3 {

/// The buckets in one folder: <root>/<bucket>/{bucket.json,index.jsonl} and the bytes of all of them in <root>/.data. Thread-safe.
class ObjectStore {
 public:
  /// Loads everything. Errors: io, busy (another devs3 uses the folder).
  static Result<std::unique_ptr<ObjectStore>> open(const std::filesystem::path& root, const Clock& clock);

  ~ObjectStore() { files_->keep_all(); }

  /// Refuses with NoSuchBucket.
  Outcome<std::shared_ptr<Bucket>> bucket(std::string_view name) const;
  /// In the order of their names.
  std::vector<BucketInfo> buckets() const;
  /// BucketAlreadyOwnedByYou, InvalidBucketName.
  Outcome<void> create_bucket(const std::string& name, const std::string& region);
  /// BucketNotEmpty, NoSuchBucket.
  Outcome<void> delete_bucket(const std::string& name);
  DataFiles& files() { return *files_; }

 private:
  ObjectStore(std::filesystem::path root, const Clock& clock, UniqueFd lock, std::unique_ptr<DataFiles> files)
      : root_(std::move(root)), clock_(clock), lock_(std::move(lock)), files_(std::move(files)) {}
  Result<void> load_all();
  Result<void> add(BucketInfo info);

  std::filesystem::path root_;
  const Clock& clock_;
  UniqueFd lock_;
  std::unique_ptr<DataFiles> files_;
  mutable std::shared_mutex mutex_;  ///< guards buckets_
  std::map<std::string, std::shared_ptr<Bucket>, std::less<>> buckets_;
};

/// S3 User Guide, "Bucket naming rules": 3 to 63 of a-z 0-9 - . , beginning and ending with a letter or digit.
bool is_bucket_name(std::string_view name);

}  // namespace prefixfs::devs3
