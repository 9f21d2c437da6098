#include "prefixfs/sync/file_upload.h"
#include "staged_upload.h"

namespace prefixfs::sync {

Uploader::Uploader(s3::ObjectStore& store, WorkerPool& pool, const UploaderOptions& options, const Clock& clock, Log& log)
    : store_(store), pool_(pool), options_(options), clock_(clock), log_(log) {}

std::unique_ptr<FileUpload> Uploader::start(std::shared_ptr<stage::StagedFile> file) {
  return std::make_unique<StagedUpload>(store_, pool_, options_, clock_, log_, std::move(file));
}

}  // namespace prefixfs::sync
