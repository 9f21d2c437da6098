#include "handover.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace prefixfs::daemon {
namespace {

class HandoverTest : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    one.reset(ends[0]);
    other.reset(ends[1]);
  }
  UniqueFd one;
  UniqueFd other;
};

TEST_F(HandoverTest, AMessageArrivesWholeWithItsDescriptors) {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const std::vector<std::byte> body(104, std::byte{7});
  ASSERT_TRUE(send_message(one, Word::connection, body, {null.get(), null.get()}));
  ASSERT_TRUE(send_message(one, Word::refused));
  const auto first = receive_message(other);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->word, Word::connection);
  EXPECT_EQ(first->body, body);
  ASSERT_EQ(first->descriptors.size(), 2u);
  struct stat status {};
  EXPECT_EQ(::fstat(first->descriptors[1].get(), &status), 0);
  EXPECT_NE(::fcntl(first->descriptors[0].get(), F_GETFD) & FD_CLOEXEC, 0);
  const auto second = receive_message(other);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->word, Word::refused);
  EXPECT_TRUE(second->body.empty() && second->descriptors.empty());
}

TEST_F(HandoverTest, WhatWasSaidBeforeADeathIsStillHeard) {
  ASSERT_TRUE(send_message(one, Word::serving));
  one.reset();
  ASSERT_TRUE(receive_message(other));
  const auto last = receive_message(other);
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, Errc::cancelled);
  EXPECT_FALSE(send_message(other, Word::connection));  // and no SIGPIPE
}

TEST_F(HandoverTest, AMessageThatIsTooLongIsRefused) {
  ASSERT_TRUE(send_message(one, Word::init, std::vector<std::byte>(20'000)));
  EXPECT_FALSE(receive_message(other));
}

TEST(WorkerPlaceTest, ComesBackAsItWas) {
  const auto place = WorkerPlace::decode(WorkerPlace{.socket = 5, .generation = 12, .directory = "/a:b c"}.encode());
  ASSERT_TRUE(place);
  EXPECT_EQ(place->socket, 5);
  EXPECT_EQ(place->generation, 12u);
  EXPECT_EQ(place->directory, "/a:b c");
}

TEST(WorkerPlaceTest, WhatIsNoneIsRefused) {
  for (const char* text : {"", "5", "5:", "5:1", "x:1:/", "-1:1:/", "5:0:/", "5:x:/", ":1:/"}) {
    EXPECT_FALSE(WorkerPlace::decode(text)) << text;
  }
}

}  // namespace
}  // namespace prefixfs::daemon
