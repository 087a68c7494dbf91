#include "distributed/ranks.h"

#include <vector>

#include <doctest/doctest.h>

using namespace asap::distributed;

TEST_CASE("a process that was started alone is the only rank of its job") {
  Ranks& ranks = single_rank();
  CHECK(ranks.size() == 1);
  CHECK(ranks.leads());
  CHECK(ranks.gather("text") == std::vector<std::string>{"text"});
  CHECK(ranks.fail("broken").speaks);
  CHECK_FALSE(ranks.fail("broken").is_alone);
  CHECK_NOTHROW(require_same(ranks, {{"key", "value"}}, "hint"));
  std::vector<float> first{1, 2}, second{10, 20};
  ranks.sum(std::vector<asap::tensor::VectorView<float>>{first, second}, SumOrder::fixed, 1);
  CHECK(first == std::vector<float>{11, 22});
  CHECK(second == std::vector<float>{10, 20});
}

TEST_CASE("every item belongs to one rank, and ranks differ by one item at most") {
  for (const std::int64_t count : {0, 1, 5, 8, 64, 1000003})
    for (const int size : {1, 2, 3, 7, 512}) {
      CHECK(first_of_rank(count, 0, size) == 0);
      CHECK(first_of_rank(count, size, size) == count);
      for (int rank = 0; rank < size; ++rank) {
        const std::int64_t own =
            first_of_rank(count, rank + 1, size) - first_of_rank(count, rank, size);
        REQUIRE(own >= count / size);
        REQUIRE(own <= count / size + 1);
      }
    }
}
