#include "data_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

namespace prefixfs::devs3 {
namespace {

constexpr std::size_t kHoleBytes = 64 * 1024;

std::unexpected<prefixfs::Error> failed(std::string_view call, const std::filesystem::path& path) {
  const auto code = errno == ENOSPC || errno == EDQUOT ? Errc::no_space : Errc::io;
  return fail(code, fmt::format("{} {}: {}", call, path.filename().string(), std::strerror(errno)));
}

bool all_zero(std::span<const std::byte> data) {
  return data.empty() || (data[0] == std::byte{} && std::memcmp(data.data(), data.data() + 1, data.size() - 1) == 0);
}

}  // namespace

DataFile::~DataFile() {
  if (!keep_->load()) {
    ::unlink(path_.c_str());
  }
}

Result<UniqueFd> DataFile::open() const {
  UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    return failed("open", path_);
  }
  return fd;
}

std::uint64_t total_length(const std::vector<Extent>& extents) {
  std::uint64_t total = 0;
  for (const auto& extent : extents) {
    total += extent.length;
  }
  return total;
}

std::vector<Extent> slice(const std::vector<Extent>& extents, std::uint64_t offset, std::uint64_t length) {
  std::vector<Extent> out;
  for (const auto& extent : extents) {
    if (offset >= extent.length) {
      offset -= extent.length;
      continue;
    }
    const auto count = std::min(length, extent.length - offset);
    if (count > 0) {
      out.push_back({extent.file, extent.offset + offset, count});
    }
    length -= count;
    offset = 0;
  }
  return out;
}

Result<std::unique_ptr<DataFiles>> DataFiles::open(std::filesystem::path root) {
  std::error_code error;
  std::filesystem::create_directories(root, error);
  if (error) {
    return fail(Errc::io, fmt::format("cannot create {}: {}", root.string(), error.message()));
  }
  return std::unique_ptr<DataFiles>(new DataFiles(std::move(root)));
}

std::filesystem::path DataFiles::path_of(std::uint64_t id) const {
  return root_ / fmt::format("{:02x}", id & 0xff) / fmt::format("{:x}", id);
}

Result<std::shared_ptr<const DataFile>> DataFiles::create() {
  const std::uint64_t id = [&] {
    const std::lock_guard lock(mutex_);
    return next_id_++;
  }();
  const auto path = path_of(id);
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd && errno == ENOENT) {  // the first file of its folder
    std::error_code ignored;
    std::filesystem::create_directory(path.parent_path(), ignored);
    fd.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  }
  if (!fd) {
    return failed("create", path);
  }
  return std::make_shared<const DataFile>(id, path, keep_);
}

std::shared_ptr<const DataFile> DataFiles::adopt(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  next_id_ = std::max(next_id_, id + 1);
  auto& known = adopted_[id];
  auto file = known.lock();
  if (!file) {
    file = std::make_shared<const DataFile>(id, path_of(id), keep_);
    known = file;
  }
  return file;
}

void DataFiles::remove_unknown() {
  const std::lock_guard lock(mutex_);
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_, error)) {
    if (!entry.is_regular_file(error)) {
      continue;
    }
    const auto name = entry.path().filename().string();
    std::uint64_t id = 0;
    std::from_chars(name.data(), name.data() + name.size(), id, 16);
    next_id_ = std::max(next_id_, id + 1);
    const auto known = adopted_.find(id);
    if (known == adopted_.end() || known->second.expired()) {
      std::filesystem::remove(entry.path(), error);
    }
  }
  adopted_.clear();
  keep_->store(false);
}

Result<void> SparseWriter::append(std::span<const std::byte> data) {
  if (!file_ && !data.empty()) {
    TRY_ASSIGN(file_, files_.create());
    fd_.reset(::open(file_->path().c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd_) {
      return failed("open", file_->path());
    }
  }
  while (!data.empty()) {
    const auto room = kHoleBytes - size_ % kHoleBytes;
    const auto block = data.first(std::min<std::size_t>(room, data.size()));
    if (block.size() < kHoleBytes || !all_zero(block)) {
      TRY(write_block(block));
    }
    size_ += block.size();
    data = data.subspan(block.size());
  }
  return {};
}

Result<void> SparseWriter::write_block(std::span<const std::byte> block) {
  auto offset = size_;
  while (!block.empty()) {
    const auto written = ::pwrite(fd_.get(), block.data(), block.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return failed("write", file_->path());
    }
    block = block.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

Result<std::vector<Extent>> SparseWriter::finish() {
  if (!file_) {
    return std::vector<Extent>();
  }
  if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0) {  // a hole at the end
    return failed("truncate", file_->path());
  }
  fd_.reset();
  return std::vector<Extent>{{std::move(file_), 0, size_}};
}

Result<void> read_exactly(int fd, std::uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const auto got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return fail(Errc::io, "a data file is shorter than its index says");
    }
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

}  // namespace prefixfs::devs3
