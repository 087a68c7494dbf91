#include "config/field_values.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "config/train_config.h"

using namespace asap::config;

TEST_CASE("every field has a value, named in full") {
  TrainConfig config;
  config.train.batch = 48;
  const auto values = field_values(config);
  CHECK(values.size() == list_fields(config).size());
  CHECK(std::ranges::count(values, std::pair<std::string, std::string>{"train.batch", "48"}) == 1);
  CHECK(std::ranges::count(values, std::pair<std::string, std::string>{"model.attention.kind",
                                                                       "\"sinkhorn\""}) == 1);
}
