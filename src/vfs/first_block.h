#pragma once
// The first bytes of an object, which arrive together with its attributes.

#include <memory>

#include "content.h"
#include "prefixfs/s3/object_store.h"
#include "prefixfs/stage/staged_file.h"

namespace prefixfs::vfs {

/// Puts the beginning of a GET's body into a new staged file.
class FirstBlockSink final : public s3::GetSink {
 public:
  explicit FirstBlockSink(stage::StageDirectory& stage) : stage_(stage) {}

  Result<void> begin(const s3::GetAnswer& answer) override;
  Result<void> accept(std::span<const std::byte> data) override;

  /// What came; null where the local disk had no room, which costs no more than another GET.
  std::shared_ptr<Content> take(const ObjectInfo& info);

 private:
  stage::StageDirectory& stage_;
  std::shared_ptr<stage::StagedFile> file_;
  std::uint64_t position_ = 0;
};

}  // namespace prefixfs::vfs
