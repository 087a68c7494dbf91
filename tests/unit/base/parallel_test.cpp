#include "base/parallel.h"

#include <atomic>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"

using namespace asap::base;

TEST_CASE("parallel_for visits every index once and rethrows what a body throws") {
  for (const int threads : {1, 2, 5}) {
    std::vector<std::atomic<int>> visits(100);
    parallel_for(100, threads, [&](std::int64_t index, int worker) {
      CHECK(worker < threads);
      ++visits[static_cast<std::size_t>(index)];
    });
    for (const auto& count : visits) CHECK(count == 1);
    CHECK_THROWS_AS(parallel_for(10, threads,
                                 [](std::int64_t index, int) {
                                   if (index == 7) throw DataError("seven");
                                 }),
                    DataError);
  }
}
