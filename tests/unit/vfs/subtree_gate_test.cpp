#include "subtree_gate.h"

#include <atomic>
#include <thread>

#include "vfs_fixture.h"

namespace prefixfs::vfs {
namespace {

class SubtreeGateTest : public VfsTest {
 protected:
  SubtreeGateTest() {
    for (const char* key : {"a/sub/file", "b/file", "other/file"}) {
      mount.memory.put_text(key, "x");
    }
    below = mount.id("a/sub");
    elsewhere = mount.id("other");
  }
  /// Whether `call` ends by itself before `then` is done.
  template <class Call, class Then>
  void waits_for(Call&& call, Then&& then) {
    std::atomic<bool> through = false;
    std::jthread thread([&] {
      call();
      through = true;
    });
    std::this_thread::yield();
    EXPECT_FALSE(through);
    then();
  }

  Mount mount;
  Tree tree{mount.nodes()};
  SubtreeGate gate{tree};
  InodeId below = 0;
  InodeId elsewhere = 0;
};

TEST_F(SubtreeGateTest, AChangeBelowWaitsAndALookDoesNot) {
  const auto move = gate.begin("a/", "b/", {});
  ASSERT_TRUE(move);
  EXPECT_TRUE(gate.look({below, "file"}, {}));
  EXPECT_TRUE(gate.change({{elsewhere, "file"}}, {}));
  waits_for([&] { EXPECT_TRUE(gate.change({{elsewhere, "x"}, {below, "file"}}, {})); }, [&] { gate.end(*move); });
}

TEST_F(SubtreeGateTest, TheDestinationIsClosedToo) {
  const auto move = gate.begin("a/", "b/", {});
  ASSERT_TRUE(move);
  waits_for([&] { EXPECT_TRUE(gate.change({{kRoot, "b"}}, {})); }, [&] { gate.close(**move, true, false); });
  waits_for([&] { EXPECT_TRUE(gate.change({{kRoot, "a"}}, {})); }, [&] { gate.close(**move, false, true); });
  gate.end(*move);
}

TEST_F(SubtreeGateTest, ARenameWaitsForTheChangesUnderWay) {
  std::optional<Result<SubtreeGate::Pass>> pass(gate.change({{below, "file"}}, {}));
  ASSERT_TRUE(*pass);
  waits_for(
      [&] {
        const auto move = gate.begin("a/", "b/", {});
        ASSERT_TRUE(move);
        gate.end(*move);
      },
      [&] { pass.reset(); });
}

TEST_F(SubtreeGateTest, NobodyLooksWhileTheNamesChange) {
  const auto move = gate.begin("a/", "b/", {});
  ASSERT_TRUE(move);
  std::optional<Result<SubtreeGate::Pass>> looks(gate.look({below, "file"}, {}));
  ASSERT_TRUE(*looks);
  bool alone = false;
  waits_for([&] { gate.while_quiet(**move, [&] { alone = true; }); }, [&] { looks.reset(); });
  EXPECT_TRUE(alone);
  EXPECT_TRUE(gate.look({below, "file"}, {}));
  gate.end(*move);
}

TEST_F(SubtreeGateTest, OneRenameAtATimeConcernsADirectory) {
  const auto move = gate.begin("a/", "b/", {});
  ASSERT_TRUE(move);
  const auto apart = gate.begin("other/", "new/", {});
  EXPECT_TRUE(apart);
  waits_for(
      [&] {
        const auto next = gate.begin("a/sub/", "new2/", {});
        ASSERT_TRUE(next);
        gate.end(*next);
      },
      [&] { gate.end(*move); });
  gate.end(*apart);
}

TEST_F(SubtreeGateTest, NobodyWaitsForS3ToAnswer) {
  const auto move = gate.begin("a/", "b/", {});
  ASSERT_TRUE(move);
  gate.stall(**move, true);
  EXPECT_ERRC(gate.change({{below, "file"}}, {}), Errc::unavailable);
  EXPECT_ERRC(gate.begin("a/sub/", "new/", {}), Errc::unavailable);
  gate.end(*move);
}

TEST_F(SubtreeGateTest, ACallThatIsInterruptedWaitsNoLonger) {
  const auto move = gate.begin("a/", "b/", {});
  ASSERT_TRUE(move);
  std::stop_source stop;
  waits_for([&] { EXPECT_ERRC(gate.change({{below, "file"}}, {SteadyTime::max(), stop.get_token()}), Errc::cancelled); }, [&] { stop.request_stop(); });
  gate.end(*move);
  const auto again = gate.begin("a/", "b/", {});
  EXPECT_TRUE(again) << "nothing of it is left";
}

}  // namespace
}  // namespace prefixfs::vfs
