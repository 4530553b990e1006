#include "core/thread_pool.h"

#include <atomic>
#include <thread>

#include "tests/testing.h"

namespace tflbnn {
namespace {

TEST(ParallelForVisitsEachItemOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads, testing::kShareEverything);
    CHECK_EQ(pool.size(), threads);
    for (const size_t count : {0, 1, 2, 7, 64, 1000}) {
      for (const size_t grain : {1, 6, 64, 5000}) {
        std::vector<std::atomic<int>> visits(count);
        std::atomic<bool> sane{true};
        pool.ParallelFor(count, grain, 0, [&](size_t begin, size_t end, int thread) {
          if (begin >= end || end > count || begin % grain || thread < 0 || thread >= threads)
            sane = false;
          for (size_t i = begin; i < end; ++i) ++visits[i];
        });
        CHECK(sane);
        for (const auto& n : visits) CHECK_EQ(n.load(), 1);
      }
    }
  }
}

TEST(ThreadsOfALoopHaveDifferentNumbers) {
  ThreadPool pool(4, testing::kShareEverything);
  std::atomic<int> users[4] = {};
  std::atomic<bool> alone{true};
  for (int round = 0; round < testing::Trials(200); ++round) {
    pool.ParallelFor(64, 1, 0, [&](size_t, size_t, int thread) {
      if (users[thread]++ != 0) alone = false;
      std::this_thread::yield();
      --users[thread];
    });
  }
  CHECK(alone);
}

TEST(SeveralCallersShareAPool) {
  ThreadPool pool(3, testing::kShareEverything);
  std::atomic<long> sum{0};
  std::vector<std::thread> callers;
  const int rounds = testing::Trials(400);
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        pool.ParallelFor(100, 3, 0, [&](size_t begin, size_t end, int) {
          for (size_t i = begin; i < end; ++i) sum += static_cast<long>(i);
        });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK_EQ(sum.load(), 4l * rounds * 4950);
}

TEST(PoolsComeAndGo) {
  for (int i = 0; i < testing::Trials(100); ++i) {
    ThreadPool pool(4, testing::kShareEverything);
    if (i % 2) pool.ParallelFor(10, 1, 0, [](size_t, size_t, int) {});
  }
  CHECK(true);
}

TEST(LoopsAfterSleepWakeTheWorkers) {
  ThreadPool pool(2, testing::kShareEverything);
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int> items{0};
    pool.ParallelFor(
        50, 1, 0, [&](size_t begin, size_t end, int) { items += static_cast<int>(end - begin); });
    CHECK_EQ(items.load(), 50);
  }
}

TEST(LoopsAfterPausesAreShared) {
  ThreadPool pool(3, testing::kShareEverything);
  for (int i = 0; i < testing::Trials(200); ++i) {
    if (i % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int> items{0};
    for (int loop = 0; loop < 3; ++loop) {
      pool.ParallelFor(
          20, 1, 0, [&](size_t begin, size_t end, int) { items += static_cast<int>(end - begin); });
    }
    CHECK_EQ(items.load(), 60);
  }
}

TEST(WorkersAreWokenWhileOthersRunLoops) {
  ThreadPool pool(3, testing::kShareEverything);
  const int rounds = testing::Trials(200);
  std::atomic<int> items{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < rounds; ++i) {
        if (i % 20 == caller) std::this_thread::sleep_for(std::chrono::milliseconds(2));
        pool.Wake();
        pool.ParallelFor(20, 1, 0, [&](size_t begin, size_t end, int) {
          items += static_cast<int>(end - begin);
        });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK_EQ(items.load(), 3 * 20 * rounds);
}

TEST(ThreadsGetAsManyPieces) {
  for (const int threads : {2, 3}) {
    ThreadPool pool(threads);
    const double piece = ThreadPool::kPieceNs;
    for (const double work : {2 * piece, 3.5 * piece, 14 * piece, 1000 * piece}) {
      for (const size_t count : {2, 7, 14, 28, 100}) {
        std::atomic<int> pieces{0}, items{0};
        pool.ParallelFor(count, 1, work, [&](size_t begin, size_t end, int) {
          ++pieces;
          items += static_cast<int>(end - begin);
        });
        CHECK_EQ(items.load(), static_cast<int>(count));
        // But where there are too few, or too little is to be done.
        CHECK(pieces % threads == 0 || pieces < threads || work / count > 20000);
      }
    }
  }
}

TEST(LittleWorkStaysWithItsCaller) {
  ThreadPool pool(4);
  int calls = 0;
  pool.ParallelFor(100, 1, ThreadPool::kPieceNs, [&](size_t begin, size_t end, int thread) {
    ++calls;
    CHECK_EQ(begin, size_t{0});
    CHECK_EQ(end, size_t{100});
    CHECK_EQ(thread, 0);
  });
  CHECK_EQ(calls, 1);
}

}  // namespace
}  // namespace tflbnn
