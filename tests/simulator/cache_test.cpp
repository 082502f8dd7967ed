#include <gtest/gtest.h>

#include "simulator/cache/block_cache.h"

namespace ridge::sim {
namespace {

TEST(BlockCache, GivesOutTheLongestFreedFirstAndAChainsEndBeforeItsStart) {
  BlockCache c(6);
  c.take(4);
  ASSERT_TRUE(c.extend(1, 0, 4));
  c.release(1, 4);  // the queue: 2 empty ones, then blocks 3, 2, 1, 0 of the chain
  EXPECT_EQ(c.free(), 6);
  EXPECT_EQ(c.present(1), 4);
  c.take(3);
  EXPECT_EQ(c.present(1), 3);
  c.take(2);
  EXPECT_EQ(c.present(1), 1);
  c.take(1);
  EXPECT_EQ(c.present(1), 0);
  EXPECT_EQ(c.free(), 0);
}

TEST(BlockCache, HoldsWhatIsFoundOutOfTheQueue) {
  BlockCache c(4);
  c.take(4);
  c.extend(1, 0, 4);
  c.release(1, 4);
  EXPECT_EQ(c.idle(1, 2), 2);
  c.hold(1, 2);
  EXPECT_EQ(c.free(), 2);
  EXPECT_EQ(c.idle(1, 2), 0);
  c.hold(1, 2);  // a second holder costs nothing
  EXPECT_EQ(c.free(), 2);
  c.take(2);
  EXPECT_EQ(c.present(1), 2);
  c.release(1, 2);
  EXPECT_EQ(c.free(), 0);
  c.release(1, 2);
  EXPECT_EQ(c.free(), 2);
}

TEST(BlockCache, KeepsASecondCopyForItsMaker) {
  BlockCache c(8);
  c.take(2);
  EXPECT_TRUE(c.extend(1, 0, 2));
  c.take(2);
  EXPECT_FALSE(c.extend(1, 0, 2));
  EXPECT_EQ(c.present(1), 2);
}

TEST(BlockCache, LongerHoldersLeaveShorterOnesTheirs) {
  BlockCache c(8);
  c.take(5);
  c.extend(7, 0, 5);
  c.hold(7, 3);
  c.release(7, 5);
  EXPECT_EQ(c.free(), 5);
  EXPECT_EQ(c.present(7), 5);
  c.take(4);  // 3 never used, then the chain's last
  EXPECT_EQ(c.present(7), 4);
  c.release(7, 3);
  EXPECT_EQ(c.free(), 4);
  EXPECT_EQ(c.taken() - c.returned(), 4);
}

}  // namespace
}  // namespace ridge::sim
