#include "config/train_config.h"

#include <string>

#include <doctest/doctest.h>

#include "property/count_refusals.h"

using namespace asap::config;
using namespace asap::io;
using namespace asap::test;

TEST_CASE("damaged configurations are accepted or refused, never more") {
  const int refused =
      count_refusals(format_json(to_json(TrainConfig{})), [](const std::string& text) {
        TrainConfig config;
        from_json(parse_json(text, "file"), config, "file");
        config.validate("file");
      });
  CHECK(refused > kMutations / 2);
}
