#include "train/resume_check.h"

#include <doctest/doctest.h>

#include "support/expect_error.h"

using namespace asap;
using namespace asap::test;

namespace {

/// Checks a change of one field against the defaults; the message of the refusal, or "".
std::string refusal(const std::string& assignment, std::vector<std::string> allowed,
                    bool same_data) {
  config::TrainConfig config;
  config::set_field(config, assignment);
  try {
    train::check_same_configuration(config::to_json(config::TrainConfig{}), config, allowed,
                                    "state.json", same_data);
  } catch (const base::UsageError& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "";
}

bool holds(const std::string& text, const char* part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a field that changed the training data cannot be permitted and is not suggested") {
  for (const char* change : {"data.shapes.noise=0.2", "data.images.size=32", "data.shift.noise=1",
                             "data.path=/elsewhere", "data.train_examples=10"}) {
    CAPTURE(change);
    const std::string field = std::string(change).substr(0, std::string(change).find('='));
    CHECK(holds(refusal(change, {}, false), "the training data are not those"));
    CHECK_FALSE(holds(refusal(change, {}, false), "`allow`"));
    CHECK(holds(refusal(change, {}, true), ("`allow` " + field).c_str()));
    CHECK(refusal(change, {field}, true).empty());
  }
  CHECK(holds(refusal("data.shapes.noise=0.2", {"data"}, false), "the training data are not"));
  // A field that a changed one decides, as data.text.max_tokens does model.max_tokens.
  config::TrainConfig config;
  config.data.text.max_tokens = config.model.max_tokens = 3;
  try {
    train::check_same_configuration(config::to_json(config::TrainConfig{}), config, {},
                                    "state.json", true);
    FAIL("the change is accepted");
  } catch (const base::UsageError& error) {
    CHECK(holds(error.what(), "data.text.max_tokens is 3"));
    CHECK(holds(error.what(), "; model.max_tokens cannot change in the middle of a run"));
    CHECK_FALSE(holds(error.hint(), "`allow`"));
  }
  // Moved files are permitted; whether they are the same is checked by their content.
  CHECK(refusal("data.path=/elsewhere", {"data.path"}, false).empty());
  CHECK(holds(refusal("train.learning_rate=0.5", {}, false), "`allow` train.learning_rate"));
}

TEST_CASE("all fields that changed are named at once, but for those that are permitted") {
  config::TrainConfig started, config;
  for (const char* change : {"train.learning_rate=0.5", "train.epochs=7", "data.test_examples=9"})
    config::set_field(config, change);
  const auto refusal_of = [&](std::vector<std::string> allowed) {
    try {
      train::check_same_configuration(config::to_json(started), config, allowed, "state.json");
    } catch (const base::UsageError& error) {
      return std::string(error.what()) + " | " + error.hint();
    }
    return std::string();
  };
  CHECK(refusal_of({"data"}) ==
        "train.epochs is 7, but the run was started with " + std::to_string(started.train.epochs) +
            "; train.learning_rate is 0.5, but the run was started with " +
            config::to_json(started)["train"]["learning_rate"].dump() +
            " (state.json) | resume with the same configuration, permit the changes with `allow` "
            "train.epochs `allow` train.learning_rate, or train into another `out`");
  CHECK(holds(refusal_of({}), "data.test_examples is 9"));
  CHECK(refusal_of({"data", "train"}).empty());
  config.seed = started.seed + 1;
  CHECK(holds(refusal_of({"train"}), "data.test_examples is 9"));
  CHECK(holds(refusal_of({"train"}),
              "(state.json); seed cannot change in the middle of a run | "
              "resume with the same values, or train into another"));
  CHECK(holds(refusal_of({"train", "data"}), "; it cannot change in the middle of a run"));
}
