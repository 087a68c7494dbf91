#include "config/matcher_config.h"

#include <doctest/doctest.h>

#include "support/expect_error.h"

using namespace asap;
using namespace asap::config;
using namespace asap::test;

TEST_CASE("a matcher's configuration survives JSON, and says that it is one") {
  MatcherTrainConfig config;
  set_field(config, "model.matcher.output=dual_softmax");
  set_field(config, "train.bin_rate=3");
  const io::Json json = to_json(config);
  MatcherTrainConfig back;
  from_json(json, back, "text");
  CHECK(to_json(back) == json);
  CHECK(is_matcher(json));
  CHECK_FALSE(is_matcher(io::Json::parse(R"({"model": {"kind": "vit"}})")));
  CHECK_FALSE(is_matcher(io::Json::parse(R"({"model": 3})")));
  CHECK_FALSE(is_matcher(io::Json::parse("[]")));
}

TEST_CASE("fields of a matcher that do not fit are refused by name") {
  MatcherTrainConfig config;
  CHECK_NOTHROW(config.validate("defaults"));
  config.model.matcher.heads = 3;
  expect_error<base::UsageError>([&] { config.validate("a.json"); },
                                 {"a.json", "model.matcher.width", "64", "heads, 3"});
  config = {};
  config.data.train = "";
  expect_error<base::UsageError>([&] { config.validate("a.json"); },
                                 {"data.train", "make_keypoints"});
  expect_error<base::UsageError>([&] { set_field(config, "model.kind=vit"); }, {"model.kind"});
}
