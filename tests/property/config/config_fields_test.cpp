#include <string>

#include <doctest/doctest.h>

#include "config/train_config.h"
#include "property/count_refusals.h"

using namespace asap::config;
using namespace asap::test;

TEST_CASE("damaged --set arguments are accepted or refused, never more") {
  count_refusals("model.attention.iterations=10", [](const std::string& text) {
    TrainConfig config;
    set_field(config, text);
  });
}
