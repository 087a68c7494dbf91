#include "c_api/threads.h"

#include <atomic>

#include "base/parallel.h"
#include "base/version.h"
#include "c_api/guarded.h"

namespace asap::c_api {
namespace {

constexpr int kMostThreads = 1024;

std::atomic<int>& thread_count() {
  static std::atomic<int> count = base::default_thread_count();
  return count;
}

}  // namespace

int threads() { return thread_count(); }

}  // namespace asap::c_api

extern "C" {

const char* asap_version(void) {
  static const std::string version = asap::base::version();
  return version.c_str();
}

asap_status asap_set_threads(int threads, asap_error* error) {
  return asap::c_api::guarded(error, [&] {
    asap::c_api::require_range(threads, 1, asap::c_api::kMostThreads, "threads");
    asap::c_api::thread_count() = threads;
  });
}

int asap_threads(void) { return asap::c_api::threads(); }
}
