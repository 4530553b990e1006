#include "core/thread_pool.h"

#include <sched.h>

#include <chrono>

namespace tflbnn {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kSpin(1);  // of an idle worker

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads, double piece_ns) : piece_ns_(piece_ns) {
  pthread_mutex_init(&busy_, nullptr);
  pthread_mutex_init(&sleep_, nullptr);
  pthread_cond_init(&wake_, nullptr);
  // Workers hold pointers into the vector while it grows, so its room is fixed first.
  workers_.reserve(threads > 1 ? static_cast<size_t>(threads - 1) : 0);
  shares_ = std::make_unique<Share[]>(static_cast<size_t>(threads > 1 ? threads : 1));
  for (int i = 1; i < threads; ++i) {
    workers_.push_back({this, i, pthread_t()});
    if (pthread_create(&workers_.back().thread, nullptr, &ThreadPool::Main, &workers_.back())) {
      workers_.pop_back();
      break;
    }
  }
}

ThreadPool::~ThreadPool() {
  pthread_mutex_lock(&sleep_);
  stop_ = true;
  ++generation_;
  pthread_mutex_unlock(&sleep_);
  pthread_cond_broadcast(&wake_);
  for (Worker& worker : workers_) pthread_join(worker.thread, nullptr);
  pthread_cond_destroy(&wake_);
  pthread_mutex_destroy(&sleep_);
  pthread_mutex_destroy(&busy_);
}

void* ThreadPool::Main(void* worker) {
  auto* self = static_cast<Worker*>(worker);
  self->pool->WorkerLoop(self->index);
  return nullptr;
}

void ThreadPool::TakePieces(int thread) {
  for (int i = 0; i < size(); ++i) {
    Share& share = shares_[static_cast<size_t>((thread + i) % size())];
    for (size_t piece; (piece = share.next.fetch_add(1)) < share.end;)
      loop_.call(loop_.context, loop_.Begin(piece), loop_.Begin(piece + 1), thread);
  }
}

void ThreadPool::RouseSleepers() {
  ++generation_;
  if (sleeping_ == 0) return;
  // Taking the lock orders this wake-up after a worker that is just falling asleep.
  pthread_mutex_lock(&sleep_);
  pthread_mutex_unlock(&sleep_);
  pthread_cond_broadcast(&wake_);
}

void ThreadPool::Wake() {
  if (sleeping_ > 0) RouseSleepers();  // they find no loop open, and wait for one
}

void ThreadPool::Run(const Loop& loop) {
  if (pthread_mutex_trylock(&busy_) != 0) {
    loop.call(loop.context, 0, loop.count, 0);
    return;
  }
  loop_ = loop;
  const size_t threads = static_cast<size_t>(size());
  for (size_t i = 0; i < threads; ++i) {
    shares_[i].next = loop.pieces * i / threads;
    shares_[i].end = loop.pieces * (i + 1) / threads;
  }
  open_ = true;
  RouseSleepers();
  TakePieces(0);
  open_ = false;  // who comes now finds the loop closed
  for (int i = 0; active_ > 0; ++i) {
    Pause();
    if (i > 1000) sched_yield();  // whoever holds the last piece may need this core
  }
  pthread_mutex_unlock(&busy_);
}

void ThreadPool::AwaitLoop(unsigned seen) {
  const auto start = Clock::now();
  for (int i = 1; generation_ == seen; ++i) {
    Pause();
    if (i % 64 != 0) continue;
    if (Clock::now() - start > kSpin) break;
    sched_yield();  // somebody with work may need this core
  }
  if (generation_ != seen) return;
  pthread_mutex_lock(&sleep_);
  ++sleeping_;
  while (generation_ == seen) pthread_cond_wait(&wake_, &sleep_);
  --sleeping_;
  pthread_mutex_unlock(&sleep_);
}

void ThreadPool::WorkerLoop(int index) {
  unsigned seen = 0;
  for (;;) {
    while (generation_ == seen) AwaitLoop(seen);
    seen = generation_;
    if (stop_) return;
    // Announced before looking: Run() closes the loop before it looks for the active (sequentially
    // consistent atomics), so either it sees this worker or this worker sees the loop closed.
    ++active_;
    if (open_) TakePieces(index);
    --active_;
  }
}

}  // namespace tflbnn
