// Persistent worker threads that share the pieces of one loop.
//
// The caller takes pieces itself and never waits for a worker that has not begun: TFLite's XNNPACK
// keeps a pool of its own whose idle threads spin for milliseconds, so on a small machine a worker
// of ours may not be scheduled at all while the loop lasts. Waking a thread takes longer than most
// operations, so our workers spin, too, yielding to others: for as long as what lies between two
// loops of a graph, or between two inferences of a stream of them, may take.
// Several interpreters may share a pool: while one uses it, another runs its loops on its own
// thread rather than wait.
#pragma once

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace tflbnn {

class ThreadPool {
 public:
  // What a thread's part of a loop must at least take: another core must be told of it, and must
  // fetch what it reads.
  static constexpr double kPieceNs = 2000;

  // A loop must be worth so many of them for threads to be woken.
  static constexpr int kWakePieces = 10;

  // Starts threads - 1 workers, fewer where the system refuses more.
  explicit ThreadPool(int threads, double piece_ns = kPieceNs);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Threads that may run a loop, the caller's included.
  int size() const { return static_cast<int>(workers_.size()) + 1; }

  // Has sleeping workers stand by for a loop, without waiting for them. What is run meanwhile makes
  // up for the time that waking takes.
  void Wake();

  // Calls fn(begin, end, thread) on disjoint ranges that together are [0, count), each but the last
  // a multiple of `grain` long; thread < size() tells concurrent calls apart. `work` is about how
  // many nanoseconds all of it takes one thread (see work.h).
  template <class Fn>
  void ParallelFor(size_t count, size_t grain, double work, const Fn& fn) {
    if (count == 0) return;
    const size_t grains = (count - 1) / grain + 1;
    if (size() == 1 || grains == 1 || work < (sleeping_ > 0 ? kWakePieces : 2) * piece_ns_) {
      fn(size_t{0}, count, 0);
      return;
    }
    Loop loop;
    loop.call = [](const void* context, size_t begin, size_t end, int thread) {
      (*static_cast<const Fn*>(context))(begin, end, thread);
    };
    loop.context = &fn;
    loop.count = count;
    loop.grain = grain;
    loop.grains = grains;
    const size_t threads = static_cast<size_t>(size());
    loop.pieces = std::min(threads * kPiecesPerThread, grains);
    if (work < static_cast<double>(grains) * kLargeGrainNs) {
      loop.pieces = std::min(loop.pieces, grains / kGrainsPerPiece);
      const auto limit = [&](double piece_ns) {
        if (static_cast<double>(loop.pieces) * piece_ns > work)
          loop.pieces = static_cast<size_t>(work / piece_ns);
      };
      limit(kPieceFactor * piece_ns_);
      loop.pieces -= loop.pieces % threads;  // as many for each thread
      if (loop.pieces == 0) {
        loop.pieces = std::min(threads, grains);
        limit(piece_ns_);
      }
    }
    Run(loop);
  }

 private:
  // Enough pieces that a thread delayed by something else does not hold up the others.
  static constexpr size_t kPiecesPerThread = 4;
  // But each of them may read the same constants anew, unless it is large: it must take so many
  // times what a thread's part must.
  static constexpr size_t kGrainsPerPiece = 4;
  static constexpr double kPieceFactor = 4;
  static constexpr double kLargeGrainNs = 20000;

  struct Loop {
    void (*call)(const void* context, size_t begin, size_t end, int thread) = nullptr;
    const void* context = nullptr;
    size_t count = 0, grain = 1, grains = 0, pieces = 0;
    // Pieces differ by a grain at most, so that none is left over for one thread while others wait.
    size_t Begin(size_t piece) const {
      const size_t begin = (grains / pieces * piece + grains % pieces * piece / pieces) * grain;
      return begin < count ? begin : count;
    }
  };
  // A thread begins with the same share of every loop, so that it finds in its caches what it wrote
  // in the loop before; then it helps the others.
  struct alignas(64) Share {
    std::atomic<size_t> next{0};
    size_t end = 0;
  };
  struct Worker {
    ThreadPool* pool;
    int index;
    pthread_t thread;
  };

  static void* Main(void* worker);
  void RouseSleepers();
  void Run(const Loop& loop);
  void TakePieces(int thread);
  void WorkerLoop(int index);
  void AwaitLoop(unsigned seen);

  const double piece_ns_;
  std::vector<Worker> workers_;
  pthread_mutex_t busy_;   // held while a loop runs
  pthread_mutex_t sleep_;  // guards the transition to sleep
  pthread_cond_t wake_;
  Loop loop_;  // written only while open_ is false and active_ is zero
  std::atomic<unsigned> generation_{0};
  std::atomic<int> sleeping_{0}, active_{0};
  std::atomic<bool> open_{false}, stop_{false};
  std::unique_ptr<Share[]> shares_;  // one a thread, written when loop_ is
};

}  // namespace tflbnn
