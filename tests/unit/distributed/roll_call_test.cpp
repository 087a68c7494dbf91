#include "distributed/roll_call.h"

#include <doctest/doctest.h>

using namespace asap::distributed;

TEST_CASE("an error of all ranks is printed once, by rank 0, and needs no abort") {
  const RollCall roll{RollAnswer{"a", "bad key"}, RollAnswer{"b", "bad key"}};
  CHECK(report_of(roll, 0).speaks);
  CHECK(report_of(roll, 0).prefix.empty());
  CHECK_FALSE(report_of(roll, 0).is_alone);
  CHECK_FALSE(report_of(roll, 1).speaks);
}

TEST_CASE("the error of one rank is printed by that rank, with its name") {
  const RollCall roll{RollAnswer{"a", ""}, RollAnswer{"b", "no such file"}, std::nullopt};
  CHECK_FALSE(report_of(roll, 0).speaks);
  CHECK(report_of(roll, 1).speaks);
  CHECK(report_of(roll, 1).prefix == "rank 1 on b: ");
  CHECK(report_of(roll, 1).is_alone);
}

TEST_CASE("ranks with different errors all speak") {
  const RollCall roll{RollAnswer{"a", "full disk"}, RollAnswer{"b", "no such file"}};
  CHECK(report_of(roll, 0).speaks);
  CHECK(report_of(roll, 1).speaks);
  CHECK(report_of(roll, 1).is_alone);
}

TEST_CASE("ranks that do not answer are named by the first that waits") {
  const RollCall roll{std::nullopt, RollAnswer{"b", ""}, RollAnswer{"c", ""}, std::nullopt};
  CHECK(missing_ranks(roll, {"a", "b", "c", "d"}) == "rank 0 on a, rank 3 on d");
  CHECK(report_of(roll, 1).speaks);
  CHECK_FALSE(report_of(roll, 2).speaks);
}
