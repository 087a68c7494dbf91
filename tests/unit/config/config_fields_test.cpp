#include "config/config_fields.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/expect_error.h"

using namespace asap::base;
using namespace asap::config;
using namespace asap::io;
using namespace asap::test;

namespace {

enum class Colour { red, green };

struct Inner {
  int count = 3;
  Colour colour = Colour::red;
  template <class Visitor>
  void visit(Visitor& v) {
    v.field("count", count, "how many", between(0, 10));
    v.choice("colour", colour, {{"red", Colour::red}, {"green", Colour::green}}, "which");
  }
};

struct Outer {
  bool flag = false;
  double rate = 0.1;
  std::int64_t steps = 0;
  std::uint64_t seed = 1;
  std::string name = "x";
  std::vector<int> sizes{1, 2};
  std::vector<std::string> words;
  Inner inner;
  template <class Visitor>
  void visit(Visitor& v) {
    v.field("flag", flag, "yes or no");
    v.field("rate", rate, "step size", above(0));
    v.field("steps", steps, "steps", at_least(0));
    v.field("seed", seed, "seed");
    v.field("name", name, "name");
    v.field("sizes", sizes, "sizes", at_least(1));
    v.field("words", words, "words");
    v.group("inner", inner, "the inner part");
  }
};

struct Learning {
  double share = 0.5;
  double learning_rate = 1;
  template <class Visitor>
  void visit(Visitor& v) {
    v.field("share", share, "part", FieldRange{0, 10, true});
    v.field("learning_rate", learning_rate, "rate", above(0));
  }
};

void expect_refused(const char* json, std::initializer_list<const char*> parts) {
  Outer config;
  expect_error<UsageError>([&] { from_json(parse_json(json, "test"), config, "c.json"); },
                           {"c.json"});
  expect_error<UsageError>([&] { from_json(parse_json(json, "test"), config, "c.json"); }, parts);
  CHECK(to_json(config) == to_json(Outer{}));
}

Outer with(const char* assignment) {
  Outer config;
  set_field(config, assignment);
  return config;
}

}  // namespace

TEST_CASE("a configuration survives the way to JSON and back") {
  Outer config;
  config.flag = true;
  config.rate = 1e-3;
  config.seed = UINT64_MAX;
  config.steps = 1'000'000'000'000;
  config.name = "a \"b\"";
  config.sizes = {4};
  config.words = {"p", "q"};
  config.inner = {7, Colour::green};
  Outer back;
  from_json(parse_json(format_json(to_json(config)), "text"), back, "text");
  CHECK(to_json(back) == to_json(config));
  CHECK(back.seed == UINT64_MAX);
  CHECK(back.inner.colour == Colour::green);
}

TEST_CASE("fields that a configuration file leaves out keep their values") {
  Outer config;
  config.rate = 5;
  from_json(Json{{"inner", {{"count", 4}}}}, config, "c.json");
  CHECK(config.rate == 5);
  CHECK(config.inner.count == 4);
  CHECK(config.inner.colour == Colour::red);
}

TEST_CASE("an unknown field is named in full, with the nearest known one") {
  expect_refused(R"({"inner": {"cuont": 1}})", {"'inner.cuont'", "'inner.count'"});
  expect_refused(R"({"sede": 1})", {"'sede'", "'seed'"});
  expect_refused(R"({"count": 1})", {"'count'", "'inner.count'"});
  expect_refused(R"({"zzzzzzzz": 1})", {"'zzzzzzzz'", "expected one of: flag, rate"});
}

TEST_CASE("the first letters of a field's words suggest it") {
  Learning config;
  expect_error<UsageError>([&] { set_field(config, "lr=1"); }, {"'lr'", "'learning_rate'"});
  expect_error<UsageError>([&] { set_field(config, "ls=1"); }, {"unknown field 'ls'"});
}

TEST_CASE("a value of the wrong type is named with what was expected and what was found") {
  expect_refused(R"({"flag": 1})", {"flag", "true or false", "got 1"});
  expect_refused(R"({"rate": "fast"})", {"rate", "number", "\"fast\""});
  expect_refused(R"({"rate": null})", {"rate", "number", "null"});
  expect_refused(R"({"steps": 2.5})", {"steps", "integer", "2.5"});
  expect_refused(R"({"name": 3})", {"name", "text", "3"});
  expect_refused(R"({"sizes": [1, "a"]})", {"sizes", "list of integers"});
  expect_refused(R"({"words": "a"})", {"words", "list of texts"});
  expect_refused(R"({"inner": 3})", {"inner", "object", "3"});
  expect_refused(R"({"inner": {"colour": 3}})", {"inner.colour", "red, green"});
  expect_refused(R"([1])", {"JSON object", "array"});
}

TEST_CASE("a value outside its range is refused with the range") {
  expect_refused(R"({"inner": {"count": -1}})", {"inner.count", "between 0 and 10", "-1"});
  expect_refused(R"({"inner": {"count": 11}})", {"inner.count", "11"});
  expect_refused(R"({"rate": 0})", {"rate", "above 0"});
  expect_refused(R"({"steps": -1})", {"steps", "at least 0"});
  expect_refused(R"({"seed": -1})", {"seed", "-1"});
  expect_refused(R"({"inner": {"count": 5000000000}})", {"inner.count", "5000000000"});
  expect_refused(R"({"sizes": [1, 0]})", {"sizes", "at least 1"});
}

TEST_CASE("a range that leaves out its minimum is stated with both ends, the value as written") {
  const auto refused = [](const std::string& assignment, const char* part) {
    Learning config;
    expect_error<UsageError>([&] { set_field(config, assignment); }, {part});
  };
  for (const char* number : {"4e07", "4e7", "40000000.0", "4E+7"})
    refused("share=" + std::string(number), "share must be above 0 and at most 10, got 4e7");
  refused("share=40000000", "above 0 and at most 10, got 40000000");
  refused("share=10.5", "above 0 and at most 10, got 10.5");
  refused("share=0", "above 0 and at most 10, got 0");
  refused("learning_rate=-2.5e-20", "learning_rate must be above 0, got -2.5e-20");
}

TEST_CASE("an unknown choice is refused with the known ones") {
  expect_refused(R"({"inner": {"colour": "gren"}})", {"red, green", "'gren'", "'green'"});
}

TEST_CASE("a whole number may be written with an exponent") {
  CHECK(with("inner.count=1e1").inner.count == 10);
  CHECK(with("steps=2.0").steps == 2);
  expect_error<UsageError>([] { with("steps=1e300"); }, {"steps"});
}

TEST_CASE("--set takes JSON values, and text without quotes") {
  CHECK(with("inner.count=9").inner.count == 9);
  CHECK(with("flag=true").flag);
  CHECK(with("inner.colour=green").inner.colour == Colour::green);
  CHECK(with("inner.colour=\"green\"").inner.colour == Colour::green);
  CHECK(with("name=12").name == "12");
  CHECK(with("name=a=b c").name == "a=b c");
  CHECK(with("name=").name.empty());
  CHECK(with("rate=.25").rate == 0.25);
  CHECK(with("name=.5").name == ".5");
  CHECK(with("sizes=[5,6]").sizes == std::vector<int>{5, 6});
  CHECK(with(R"(inner={"count":2})").inner.count == 2);
}

TEST_CASE("--set refuses what it cannot apply and names it") {
  expect_error<UsageError>([] { with("inner.count"); }, {"--set", "inner.count", "key=value"});
  expect_error<UsageError>([] { with("=3"); }, {"--set"});
  expect_error<UsageError>([] { with("inner.cont=3"); }, {"--set", "inner.cont", "'inner.count'"});
  expect_error<UsageError>([] { with("iner.count=3"); }, {"'iner'", "'inner'"});
  expect_error<UsageError>([] { with("inner.count=many"); }, {"integer", "\"many\""});
  expect_error<UsageError>([] { with("inner.count.x=1"); }, {"inner.count", "integer"});
  expect_error<UsageError>([] { with("a..b=1"); }, {"unknown field 'a'"});
  expect_error<UsageError>([] { with("inner=3"); }, {"inner", "object"});
}

TEST_CASE("the list of fields gives path, type, documentation and value") {
  const auto fields = list_fields(Outer{});
  REQUIRE(fields.size() == 9);
  CHECK(fields[0].path == "flag");
  CHECK(fields[0].type == "true or false");
  CHECK(fields[8].path == "inner.colour");
  CHECK(fields[8].type == "red|green");
  CHECK(fields[8].value == "red");
  CHECK(fields[7].doc == "how many");
}

TEST_CASE(
    "fields that code filled in are checked, NaN and infinity too, and named for their flags") {
  Learning config;
  CHECK_NOTHROW(check_field_ranges(config, ""));
  config.learning_rate = INFINITY;
  expect_error<UsageError>([&] { check_field_ranges(config, "learning"); },
                           {"learning: learning_rate must be above 0, got inf"});
  config = {.share = NAN};
  expect_error<UsageError>([&] { check_field_ranges(config, ""); },
                           {"`share` must be above 0 and at most 10, got nan"});
}
