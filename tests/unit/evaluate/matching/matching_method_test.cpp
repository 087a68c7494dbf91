#include "evaluate/matching/matching_method.h"

#include <doctest/doctest.h>

#include "support/expect_error.h"

using namespace asap;
using namespace asap::evaluate;
using namespace asap::test;

TEST_CASE("names of matching methods are read back as they are written") {
  for (const char* name : {"network", "teacher", "mutual", "ratio:0.75", "assignment:0.9",
                           "sinkhorn:12", "compiled", "compiled+3", "compiled+sparse:0"})
    CHECK(MatchingMethod::parse(name).name() == name);
  CHECK(MatchingMethod::parse("ratio").name() == "ratio:0.8");
  CHECK(MatchingMethod::parse("assignment").name() == "assignment:0.91");
}

TEST_CASE("names of no matching method are refused with a hint") {
  for (const auto& wrong : {std::pair{"mutal", "mutual"},
                            {"ratio:x", "above 0"},
                            {"ratio:2", "at most 1"},
                            {"sinkhorn", "sinkhorn:K"},
                            {"sinkhorn:-1", "0 to 10000"},
                            {"compiled+", "compiled+K"},
                            {"compiled:3", "compiled+K"},
                            {"compiled+sparse", "compiled+sparse:K"},
                            {"compiled+sparse:x", "0 to 10000"},
                            {"", "expected one of"}})
    expect_error<base::UsageError>([&] { MatchingMethod::parse(wrong.first); },
                                   {"`methods`", wrong.second});
}
