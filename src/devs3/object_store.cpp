#include "object_store.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <mutex>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "prefixfs/base/time_format.h"

namespace prefixfs::devs3 {
namespace {

namespace fs = std::filesystem;

Result<void> write_info(const fs::path& path, const BucketInfo& info) {
  std::ofstream out(path, std::ios::trunc);
  out << nlohmann::json{{"region", info.region}, {"created", format_iso8601(info.created)}}.dump() << "\n";
  out.close();
  if (!out) {
    return fail(Errc::io, fmt::format("cannot write {}", path.string()));
  }
  return {};
}

BucketInfo read_info(const fs::path& path, std::string name) {
  BucketInfo info{std::move(name), "us-east-1", {}};
  std::ifstream in(path);
  const auto json = nlohmann::json::parse(in, nullptr, false);
  if (json.is_object() && json.contains("region") && json["region"].is_string()) {
    info.region = json["region"].get<std::string>();
  }
  if (json.is_object() && json.contains("created") && json["created"].is_string()) {
    info.created = parse_iso8601(json["created"].get<std::string>()).value_or(WallTime());
  }
  return info;
}

}  // namespace

bool is_bucket_name(std::string_view name) {
  const auto inner = [](unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-' || c == '.'; };
  const auto edge = [](unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0; };
  return name.size() >= 3 && name.size() <= 63 && std::ranges::all_of(name, inner) && edge(static_cast<unsigned char>(name.front())) &&
         edge(static_cast<unsigned char>(name.back())) && name.find("..") == std::string_view::npos;
}

Result<std::unique_ptr<ObjectStore>> ObjectStore::open(const fs::path& root, const Clock& clock) {
  std::error_code error;
  fs::create_directories(root, error);
  UniqueFd lock(::open((root / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (error || !lock) {
    return fail(Errc::io, fmt::format("cannot use the folder {}", root.string()));
  }
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Errc::busy, fmt::format("another devs3 uses the folder {}", root.string()));
  }
  TRY_ASSIGN(auto files, DataFiles::open(root / ".data"));
  std::unique_ptr<ObjectStore> store(new ObjectStore(root, clock, std::move(lock), std::move(files)));
  TRY(store->load_all());
  return store;
}

Result<void> ObjectStore::load_all() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root_, error)) {
    auto name = entry.path().filename().string();
    if (is_bucket_name(name) && fs::exists(entry.path() / "bucket.json", error)) {
      TRY(add(read_info(entry.path() / "bucket.json", std::move(name))));
    }
  }
  files_->remove_unknown();
  return {};
}

Result<void> ObjectStore::add(BucketInfo info) {
  auto name = info.name;
  TRY_ASSIGN(auto loaded, Bucket::load(std::move(info), root_ / name / "index.jsonl", *files_));
  buckets_[name] = std::move(loaded);
  return {};
}

Outcome<std::shared_ptr<Bucket>> ObjectStore::bucket(std::string_view name) const {
  const std::shared_lock lock(mutex_);
  const auto it = buckets_.find(name);
  if (it == buckets_.end()) {
    return no_such_bucket(name);
  }
  return it->second;
}

std::vector<BucketInfo> ObjectStore::buckets() const {
  const std::shared_lock lock(mutex_);
  std::vector<BucketInfo> out;
  for (const auto& [name, bucket] : buckets_) {
    out.push_back(bucket->info());
  }
  return out;
}

Outcome<void> ObjectStore::create_bucket(const std::string& name, const std::string& region) {
  if (!is_bucket_name(name)) {
    return refuse(400, "InvalidBucketName", "The specified bucket is not valid.", "BucketName", name);
  }
  const std::unique_lock lock(mutex_);
  if (buckets_.contains(name)) {
    return refuse(409, "BucketAlreadyOwnedByYou",
                  "Your previous request to create the named bucket succeeded and you already own it.", "BucketName", name);
  }
  const BucketInfo info{name, region, clock_.now()};
  std::error_code error;
  fs::create_directories(root_ / name, error);
  if (auto written = write_info(root_ / name / "bucket.json", info); !written) {
    return internal_error(written.error());
  }
  if (auto added = add(info); !added) {
    return internal_error(added.error());
  }
  return {};
}

Outcome<void> ObjectStore::delete_bucket(const std::string& name) {
  const std::unique_lock lock(mutex_);
  const auto it = buckets_.find(name);
  if (it == buckets_.end()) {
    return no_such_bucket(name);
  }
  if (!it->second->empty()) {
    return refuse(409, "BucketNotEmpty", "The bucket you tried to delete is not empty", "BucketName", name);
  }
  buckets_.erase(it);
  std::error_code error;
  fs::remove_all(root_ / name, error);
  return {};
}

}  // namespace prefixfs::devs3
