// The layout of LMDB 0.9 (MDB_DATA_VERSION 1), as far as a database without sub-databases has it.

#include "lmdb_file_check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "lmdb_env.h"
#include "prefixfs/base/unique_fd.h"

namespace prefixfs::meta {
namespace {

constexpr std::uint64_t kNone = ~0ULL;  // the root of an empty tree
constexpr std::uint32_t kMagic = 0xBEEFC0DE;
constexpr std::size_t kHeadBytes = 16;  // of a page
constexpr std::size_t kNodeHeadBytes = 8;
constexpr unsigned kDepthMax = 32;      // as LMDB's
enum PageKind : std::uint16_t { kBranch = 1, kLeaf = 2, kOverflow = 4, kMeta = 8 };
constexpr std::uint16_t kKinds = 15;
constexpr std::uint16_t kBigData = 1;   // a node whose value has pages of its own

struct PageHead {
  std::uint64_t number;
  std::uint16_t pad;
  std::uint16_t flags;
  std::uint16_t lower;  // with `upper`: of an overflow page the number of its pages
  std::uint16_t upper;
};
struct Tree {
  std::uint32_t page_bytes;
  std::uint16_t flags;
  std::uint16_t depth;
  std::uint64_t branches, leaves, overflows, entries, root;
};
struct Meta {
  std::uint32_t magic, version;
  std::uint64_t address, map_bytes;
  Tree free, main;
  std::uint64_t last_page, transaction;
};
struct NodeHead {
  std::uint16_t low, high, flags, key_bytes;
};

template <class T>
T at(std::span<const std::byte> bytes, std::size_t offset) {
  T value{};
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

class FileCheck {
 public:
  FileCheck(int fd, std::uint64_t bytes) : fd_(fd), bytes_(bytes) {}

  /// The first page that is wrong; nothing where all is well.
  std::optional<std::uint64_t> wrong_page() {
    page_bytes_ = kHeadBytes + sizeof(Meta);
    const auto first = meta(0);
    if (!first || first->free.page_bytes < 512 || first->free.page_bytes > 65536) {
      return 0;
    }
    page_bytes_ = first->free.page_bytes;
    const auto second = meta(1);
    if (!second) {
      return 1;
    }
    const Meta& last = second->transaction > first->transaction ? *second : *first;
    seen_.resize(bytes_ / page_bytes_);
    const bool whole = tree(last.free.root, 0) && tree(last.main.root, 0);
    return whole ? std::nullopt : std::optional(wrong_);
  }

 private:
  std::optional<Meta> meta(std::uint64_t number) {
    std::vector<std::byte> page(kHeadBytes + sizeof(Meta));
    if (!read(number * page_bytes_, page)) {
      return std::nullopt;
    }
    const auto found = at<Meta>(page, kHeadBytes);
    const bool known = (at<PageHead>(page, 0).flags & kKinds) == kMeta && found.magic == kMagic;
    return known ? std::optional(found) : std::nullopt;
  }

  bool tree(std::uint64_t number, unsigned depth) {
    if (number == kNone && depth == 0) {
      return true;
    }
    wrong_ = number;
    std::vector<std::byte> page(page_bytes_);
    if (depth > kDepthMax || !take(number, 1) || !read(number * page_bytes_, page)) {
      return false;
    }
    const auto head = at<PageHead>(page, 0);
    const std::uint16_t kind = head.flags & kKinds;
    if (head.number != number || (kind != kBranch && kind != kLeaf) || head.lower < kHeadBytes || head.lower > head.upper ||
        head.upper > page_bytes_) {
      return false;
    }
    for (std::size_t slot = kHeadBytes; slot + 1 < head.lower; slot += 2) {
      const std::size_t place = at<std::uint16_t>(page, slot);
      if (place < head.upper || !node(page, place, kind, depth)) {
        return false;
      }
      wrong_ = number;
    }
    return true;
  }

  bool node(std::span<const std::byte> page, std::size_t place, std::uint16_t kind, unsigned depth) {
    if (place + kNodeHeadBytes > page.size()) {
      return false;
    }
    const auto head = at<NodeHead>(page, place);
    const std::size_t value = place + kNodeHeadBytes + head.key_bytes;
    const std::uint64_t low = head.low | std::uint64_t{head.high} << 16;
    if (kind == kBranch) {
      return value <= page.size() && tree(low | std::uint64_t{head.flags} << 32, depth + 1);
    }
    if (head.flags == kBigData) {
      return value + sizeof(std::uint64_t) <= page.size() && overflow(at<std::uint64_t>(page, value), low);
    }
    return head.flags == 0 && value + low <= page.size();
  }

  bool overflow(std::uint64_t number, std::uint64_t value_bytes) {
    wrong_ = number;
    std::vector<std::byte> page(kHeadBytes);
    if (number >= seen_.size() || !read(number * page_bytes_, page)) {
      return false;
    }
    const auto head = at<PageHead>(page, 0);
    const std::uint64_t pages = head.lower | std::uint64_t{head.upper} << 16;
    return head.number == number && (head.flags & kKinds) == kOverflow && value_bytes + kHeadBytes <= pages * page_bytes_ && take(number, pages);
  }

  /// False: beyond the end, or a part of something else.
  bool take(std::uint64_t number, std::uint64_t pages) {
    if (number >= seen_.size() || pages > seen_.size() - number) {
      return false;
    }
    for (std::uint64_t page = number; page < number + pages; ++page) {
      if (seen_[page]) {
        return false;
      }
      seen_[page] = true;
    }
    return true;
  }

  bool read(std::uint64_t offset, std::span<std::byte> out) const {
    return offset + out.size() <= bytes_ && ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset)) == static_cast<ssize_t>(out.size());
  }

  const int fd_;
  const std::uint64_t bytes_;
  std::size_t page_bytes_ = 0;
  std::vector<bool> seen_;
  std::uint64_t wrong_ = 0;
};

}  // namespace

Result<void> check_lmdb_file(const std::string& directory) {
  const std::string path = directory + "/data.mdb";
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (!fd && errno != ENOENT) {
    return fail(lmdb_error(errno, "open", path));
  }
  if (fd && (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode))) {
    return fail(Errc::corrupt, path + " is not a file");
  }
  const auto wrong = fd ? FileCheck(fd.get(), static_cast<std::uint64_t>(status.st_size)).wrong_page() : std::optional<std::uint64_t>(0);
  if (wrong) {
    return fail(Errc::corrupt, fmt::format("{} is damaged or cut short (page {}) and is left as it is, and so are the files in stage/ that it names; "
                                           "move the cache directory away and keep it, or choose another cache_dir", path, *wrong));
  }
  return {};
}

}  // namespace prefixfs::meta
