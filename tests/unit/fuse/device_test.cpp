#include "device.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "prefixfs/base/unique_fd.h"

namespace prefixfs::fuse {
namespace {

TEST(DeviceTest, AThreadThatWaitsForARequestHasThePagesForIt) {
  constexpr std::size_t kPages = 66;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t size = kPages * page;
  void* const buffer = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(buffer, MAP_FAILED);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  to.reset();
  InFlight in_flight({});
  const auto log = make_null_log();
  EXPECT_EQ(Device(in_flight, *log).read(from.get(), buffer, size), 0);
  std::vector<unsigned char> resident(kPages);
  ASSERT_EQ(::mincore(buffer, size, resident.data()), 0);
  EXPECT_TRUE(std::ranges::all_of(resident, [](unsigned char state) { return (state & 1) != 0; }));
  ::munmap(buffer, size);
}

TEST(DeviceTest, AnAnswerMayUseTheMemoryOfItsRequest) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  constexpr std::size_t kAnswerBytes = 64 << 10;
  std::vector<std::byte> memory(kAnswerBytes + 2 * page);
  const auto buffer = std::span(memory).subspan(16, kAnswerBytes + page);  // as libfuse has it: a page more than the largest write
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const UniqueFd from(ends[0]);
  const UniqueFd to(ends[1]);
  const fuse_in_header request{.len = sizeof(fuse_in_header), .opcode = FUSE_READ, .unique = 2, .nodeid = 1};
  ASSERT_EQ(::write(to.get(), &request, sizeof request), static_cast<ssize_t>(sizeof request));
  InFlight in_flight({});
  const auto log = make_null_log();
  ASSERT_EQ(Device(in_flight, *log).read(from.get(), buffer.data(), buffer.size()), static_cast<ssize_t>(sizeof request));
  const std::span<std::byte> place = Device::request_buffer();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(place.data()) % page, 0U);
  EXPECT_GE(place.size(), kAnswerBytes);
  EXPECT_GE(place.data(), buffer.data());
  EXPECT_LE(place.data() + place.size(), buffer.data() + buffer.size());
}

}  // namespace
}  // namespace prefixfs::fuse
