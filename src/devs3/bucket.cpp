#include "bucket.h"

#include <algorithm>
#include <mutex>

#include "object_json.h"

namespace prefixfs::devs3 {

Result<std::unique_ptr<Bucket>> Bucket::load(BucketInfo info, const std::filesystem::path& journal, DataFiles& files) {
  std::unique_ptr<Bucket> bucket;
  std::vector<std::string> lines;
  TRY_ASSIGN(auto opened, Journal::open(journal, [&](std::string_view line) { lines.emplace_back(line); }));
  bucket.reset(new Bucket(std::move(info), std::move(opened)));
  for (const auto& line : lines) {
    bucket->apply(line, files);
  }
  if (bucket->journal_.worth_rewriting(bucket->objects_.size())) {
    TRY(bucket->journal_.rewrite(bucket->snapshot()));
  }
  return bucket;
}

void Bucket::apply(std::string_view line, DataFiles& files) {
  auto record = parse_line(line, files);
  if (!record) {
    return;
  }
  if (auto* put = std::get_if<PutRecord>(&*record)) {
    auto object = std::make_shared<const Object>(std::move(put->object));
    objects_[object->key] = object;
  } else if (auto* gone = std::get_if<DeleteRecord>(&*record)) {
    objects_.erase(gone->key);
  } else if (auto* upload = std::get_if<UploadRecord>(&*record)) {
    uploads_[upload->upload.id] = std::move(upload->upload);
  } else if (auto* part = std::get_if<PartRecord>(&*record)) {
    if (const auto it = uploads_.find(part->upload_id); it != uploads_.end()) {
      it->second.parts[part->part.number] = std::move(part->part);
    }
  } else if (auto* end = std::get_if<EndRecord>(&*record)) {
    uploads_.erase(end->upload_id);
  }
}

std::string Bucket::snapshot() const {
  std::string out;
  for (const auto& [key, object] : objects_) {
    out += put_line(*object);
  }
  for (const auto& [id, upload] : uploads_) {
    out += upload_line(upload);
    for (const auto& [number, part] : upload.parts) {
      out += part_line(id, part);
    }
  }
  return out;
}

Outcome<void> Bucket::write(const std::string& lines) {
  if (auto appended = journal_.append(lines); !appended) {
    return internal_error(appended.error());
  }
  return {};
}

ObjectPtr Bucket::find(std::string_view key) const {
  const std::shared_lock lock(mutex_);
  const auto it = objects_.find(key);
  return it == objects_.end() ? nullptr : it->second;
}

Outcome<ObjectPtr> Bucket::put(Object object, const Guard& guard) {
  auto added = std::make_shared<const Object>(std::move(object));
  const auto line = put_line(*added);
  ObjectPtr replaced;  // destroyed after the lock is released: it may unlink files
  const std::unique_lock lock(mutex_);
  const auto it = objects_.find(added->key);
  S3_TRY(guard(it == objects_.end() ? nullptr : it->second.get()));
  S3_TRY(write(line));
  if (it == objects_.end()) {
    objects_.emplace(added->key, added);
  } else {
    replaced = std::exchange(it->second, added);
  }
  if (journal_.worth_rewriting(objects_.size())) {
    if (auto rewritten = journal_.rewrite(snapshot()); !rewritten) {
      return internal_error(rewritten.error());
    }
  }
  return added;
}

Outcome<void> Bucket::change(const ObjectPtr& before, const std::function<void(Object&)>& edit) {
  Object changed = *before;
  edit(changed);
  S3_TRY(put(std::move(changed), [&](const Object* present) -> Outcome<void> {
    if (present != before.get()) {
      return refuse(409, "OperationAborted", "A conflicting conditional operation is currently in progress against this resource.");
    }
    return {};
  }));
  return {};
}

Outcome<void> Bucket::remove(const std::string& key, const Guard& guard) {
  ObjectPtr removed;
  const std::unique_lock lock(mutex_);
  const auto it = objects_.find(key);
  S3_TRY(guard(it == objects_.end() ? nullptr : it->second.get()));
  if (it == objects_.end()) {
    return {};
  }
  S3_TRY(write(delete_line(key)));
  removed = std::move(it->second);
  objects_.erase(it);
  return {};
}

ListPage Bucket::list(const ListQuery& query) const {
  const std::shared_lock lock(mutex_);
  return list_page(objects_, query);
}

bool Bucket::empty() const {
  const std::shared_lock lock(mutex_);
  return objects_.empty();
}

Outcome<void> Bucket::create_upload(Upload upload) {
  const std::unique_lock lock(mutex_);
  S3_TRY(write(upload_line(upload)));
  auto id = upload.id;
  uploads_.emplace(std::move(id), std::move(upload));
  return {};
}

Outcome<Upload> Bucket::find_upload(std::string_view key, std::string_view id) const {
  const std::shared_lock lock(mutex_);
  const auto it = uploads_.find(id);
  if (it == uploads_.end() || it->second.key != key) {
    return no_such_upload(id);
  }
  return it->second;
}

Outcome<void> Bucket::put_part(std::string_view key, std::string_view id, Part part) {
  const std::unique_lock lock(mutex_);
  const auto it = uploads_.find(id);
  if (it == uploads_.end() || it->second.key != key) {
    return no_such_upload(id);
  }
  S3_TRY(write(part_line(id, part)));
  it->second.parts[part.number] = std::move(part);
  return {};
}

Outcome<void> Bucket::abort_upload(std::string_view key, std::string_view id) {
  Upload removed;
  const std::unique_lock lock(mutex_);
  const auto it = uploads_.find(id);
  if (it == uploads_.end() || it->second.key != key) {
    return no_such_upload(id);
  }
  S3_TRY(write(end_line(id)));
  removed = std::move(it->second);
  uploads_.erase(it);
  return {};
}

Outcome<ObjectPtr> Bucket::complete_upload(std::string_view id, Object object, const Guard& guard) {
  auto added = std::make_shared<const Object>(std::move(object));
  ObjectPtr replaced;
  Upload done;
  const std::unique_lock lock(mutex_);
  const auto it = uploads_.find(id);
  if (it == uploads_.end()) {
    return no_such_upload(id);
  }
  const auto present = objects_.find(added->key);
  S3_TRY(guard(present == objects_.end() ? nullptr : present->second.get()));
  S3_TRY(write(put_line(*added) + end_line(id)));
  auto& slot = objects_[added->key];
  replaced = std::exchange(slot, added);
  done = std::move(it->second);
  uploads_.erase(it);
  return added;
}

std::vector<Upload> Bucket::uploads() const {
  std::vector<Upload> out;
  {
    const std::shared_lock lock(mutex_);
    for (const auto& [id, upload] : uploads_) {
      out.push_back(upload);
    }
  }
  std::ranges::sort(out, [](const Upload& a, const Upload& b) { return std::tie(a.key, a.id) < std::tie(b.key, b.id); });
  return out;
}

}  // namespace prefixfs::devs3
