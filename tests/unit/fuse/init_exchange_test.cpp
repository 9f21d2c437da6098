#include "init_exchange.h"

#include <gtest/gtest.h>
#include <linux/fuse.h>

#include <cstring>

namespace prefixfs::fuse {
namespace {

constexpr std::uint64_t kResends = 1ULL << 39;

std::vector<std::byte> request_with(std::uint64_t flags) {
  struct {
    fuse_in_header header;
    fuse_init_in init;
  } request{};
  request.header.len = sizeof request;
  request.header.opcode = FUSE_INIT;
  request.init.flags = static_cast<std::uint32_t>(flags);
  request.init.flags2 = static_cast<std::uint32_t>(flags >> 32);
  const auto* bytes = reinterpret_cast<const std::byte*>(&request);
  return {bytes, bytes + sizeof request};
}

std::uint64_t flags_of(const std::vector<std::byte>& request) {
  fuse_init_in init;
  std::memcpy(&init, request.data() + sizeof(fuse_in_header), sizeof init);
  return init.flags | std::uint64_t{init.flags2} << 32;
}

TEST(InitExchangeTest, ComesBackAsItWas) {
  const InitExchange exchange{.request = request_with(FUSE_INIT_EXT | kResends), .granted = 0x1234'5678'9abc'def0};
  const auto again = InitExchange::decode(exchange.encode());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->request, exchange.request);
  EXPECT_EQ(again->granted, exchange.granted);
}

TEST(InitExchangeTest, WhatIsNoneIsRefused) {
  SavedInit saved = InitExchange{.request = request_with(0)}.encode();
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{50}, saved.size() - 1}) {
    EXPECT_FALSE(InitExchange::decode(std::span(saved).first(length))) << length;
  }
  saved[8 + offsetof(fuse_in_header, opcode)] = std::byte{FUSE_LOOKUP};
  EXPECT_FALSE(InitExchange::decode(saved));
}

TEST(InitExchangeTest, KernelsThatSendAgainAreKnownByTheirFlag) {
  EXPECT_TRUE(can_be_taken_over(InitExchange{.request = request_with(FUSE_INIT_EXT | kResends)}.encode()));
  EXPECT_FALSE(can_be_taken_over(InitExchange{.request = request_with(FUSE_INIT_EXT)}.encode()));
  EXPECT_FALSE(can_be_taken_over(InitExchange{.request = request_with(kResends)}.encode()));  // the second half does not count
  EXPECT_FALSE(can_be_taken_over({}));
}

TEST(InitExchangeTest, OnlyWhatWasGrantedIsOfferedAgain) {
  const InitExchange exchange{.request = request_with(FUSE_INIT_EXT | FUSE_ASYNC_READ | FUSE_POSIX_LOCKS | kResends),
                              .granted = FUSE_ASYNC_READ | FUSE_BIG_WRITES};
  EXPECT_EQ(flags_of(exchange.request_for_replay()), FUSE_ASYNC_READ);
  EXPECT_TRUE(exchange.kernel_resends());  // that is the kernel's own
}

TEST(InitExchangeTest, GrantedFlagsOfAnAnswer) {
  fuse_init_out answer{};
  answer.flags = FUSE_ASYNC_READ;
  answer.flags2 = 1;
  const auto bytes = std::as_bytes(std::span(&answer, 1));
  EXPECT_EQ(granted_flags(bytes), FUSE_ASYNC_READ);
  answer.flags |= FUSE_INIT_EXT;
  EXPECT_EQ(granted_flags(bytes), FUSE_ASYNC_READ | FUSE_INIT_EXT | 1ULL << 32);
  EXPECT_EQ(granted_flags(bytes.first(24)), FUSE_ASYNC_READ | FUSE_INIT_EXT);  // an old and short one
}

}  // namespace
}  // namespace prefixfs::fuse
