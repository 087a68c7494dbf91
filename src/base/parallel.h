#pragma once

#include <cstdint>
#include <exception>
#include <mutex>
#ifdef ASAP_STANDARD_THREADS
#include <atomic>
#include <thread>
#include <vector>
#endif

#include <omp.h>

namespace asap::base {

/// Default number of threads: the processors on which this process may run.
int default_thread_count();

#ifdef ASAP_STANDARD_THREADS
namespace detail {

/// The loop below with std::thread instead of OpenMP: for the thread sanitizer, which does not know
/// libgomp's barriers and would report every result read after the loop.
template <class Body>
void share_among_threads(std::int64_t count, int threads, const Body& body) {
  std::atomic<std::int64_t> next{0};
  const auto work = [&](int worker) {
    for (std::int64_t index = next++; index < count; index = next++) body(index, worker);
  };
  std::vector<std::thread> others;
  for (int worker = 1; worker < threads; ++worker) others.emplace_back(work, worker);
  work(0);
  for (std::thread& thread : others) thread.join();
}

}  // namespace detail
#endif

/// Calls body(index, worker) for index in [0, count), worker in [0, threads). Which worker takes
/// which index is not fixed, so bodies must write only what belongs to their index (or to scratch
/// of their worker) for results to be independent of the thread count. The first exception thrown
/// is rethrown here.
template <class Body>
void parallel_for(std::int64_t count, int threads, const Body& body) {
  if (threads <= 1 || count <= 1) {
    for (std::int64_t index = 0; index < count; ++index) body(index, 0);
    return;
  }
  std::exception_ptr failure;
  std::mutex failure_mutex;
  const auto guarded = [&](std::int64_t index, int worker) {
    try {
      body(index, worker);
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
    }
  };
#ifdef ASAP_STANDARD_THREADS
  detail::share_among_threads(count, threads, guarded);
#else
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (std::int64_t index = 0; index < count; ++index) guarded(index, omp_get_thread_num());
#endif
  if (failure) std::rethrow_exception(failure);
}

}  // namespace asap::base
