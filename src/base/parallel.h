#pragma once

#include <cstdint>
#include <exception>
#include <mutex>

#include <omp.h>

namespace asap {

/// Number of threads to use when the user does not say: the processors this process may run on.
int default_thread_count();

/// Calls body(index, worker) for index in [0, count), worker in [0, threads). Which worker takes which
/// index is not fixed, so bodies must write only what belongs to their index (or to scratch of their
/// worker) for results to be independent of the thread count. The first exception thrown is rethrown here.
template <class Body>
void parallel_for(std::int64_t count, int threads, const Body& body) {
  if (threads <= 1 || count <= 1) {
    for (std::int64_t index = 0; index < count; ++index) body(index, 0);
    return;
  }
  std::exception_ptr failure;
  std::mutex failure_mutex;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
  for (std::int64_t index = 0; index < count; ++index) {
    try {
      body(index, omp_get_thread_num());
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace asap
