#include "config/changed_fields.h"

#include <doctest/doctest.h>

using namespace asap::config;
using asap::io::Json;

TEST_CASE("what differs from the defaults stays, groups without a difference go") {
  const Json defaults = {{"a", {{"b", 1}, {"c", 4}}}, {"d", {{"e", 3}}}};
  CHECK(changed_fields({{"a", {{"b", 1}, {"c", 2}}}, {"d", {{"e", 3}}}}, defaults) ==
        Json{{"a", {{"c", 2}}}});
  CHECK(changed_fields(defaults, defaults).empty());
}

TEST_CASE("differences are options that a shell reads") {
  const Json defaults = {
      {"path", ""}, {"rate", 0.5}, {"columns", Json::array()}, {"group", {{"on", false}}}};
  CHECK(set_options(defaults, defaults).empty());
  CHECK(set_options({{"path", "my data"},
                     {"rate", 0.25},
                     {"columns", {"a b", "c"}},
                     {"group", {{"on", true}}}},
                    defaults) ==
        " --set 'columns=[\"a b\",\"c\"]' --set group.on=true"
        " --set 'path=my data' --set rate=0.25");
  CHECK(path_option("--run", "my run") == " --run 'my run'");
}
