#include "config/absent_fields.h"

#include <string>

#include <doctest/doctest.h>

#include "config/train_config.h"
#include "support/expect_error.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::test;

TEST_CASE("causal attention is refused with the reason, wherever it is asked for") {
  CHECK(why_absent("model.attention.iterations").empty());
  TrainConfig config;
  for (const char* field : {"model.attention.causal", "model.causal", "model.attention.is_causal"})
    expect_error<UsageError>([&] { set_field(config, std::string(field) + "=true"); },
                             {field, "unknown field", "doubly stochastic is the identity"});
}
