#include "first_block.h"

namespace prefixfs::vfs {

Result<void> FirstBlockSink::begin(const s3::GetAnswer& answer) {
  position_ = answer.range.begin;
  file_.reset();
  if (auto file = stage_.create(answer.info.size)) {
    file_ = std::move(*file);
  }
  return {};
}

Result<void> FirstBlockSink::accept(std::span<const std::byte> data) {
  if (file_ != nullptr && !file_->fill(position_, data)) {
    file_.reset();
  }
  position_ += data.size();
  return {};
}

std::shared_ptr<Content> FirstBlockSink::take(const ObjectInfo& info) {
  if (file_ == nullptr) {
    return nullptr;
  }
  auto content = std::make_shared<Content>(std::move(file_), info.etag);
  content->info = info;
  return content;
}

}  // namespace prefixfs::vfs
