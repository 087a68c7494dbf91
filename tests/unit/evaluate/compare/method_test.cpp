#include "evaluate/compare/method.h"

#include <doctest/doctest.h>

using namespace asap::base;
using namespace asap::evaluate;

namespace {

std::vector<Method> parsed(std::vector<std::string> names) { return parse_methods(names, 3); }

}  // namespace

TEST_CASE("method names are read and written alike") {
  const std::vector<std::string> names = {"teacher",
                                          "softmax",
                                          "sinkhorn:0",
                                          "sinkhorn:12",
                                          "f0",
                                          "compiled",
                                          "compiled+2",
                                          "compiled_bf16",
                                          "espformer",
                                          "compiled+1@2",
                                          "sinkhorn:3@0-1",
                                          "compiled:cascade",
                                          "compiled+1:cascade",
                                          "guarded",
                                          "warm@1",
                                          "softmax_bf16",
                                          "sinkhorn_bf16:3",
                                          "compiled_bf16+1:cascade"};
  const std::vector<Method> methods = parsed(names);
  for (std::size_t i = 0; i < names.size(); ++i) CHECK(methods[i].name() == names[i]);
  CHECK(methods[3].kind == MethodKind::sinkhorn);
  CHECK(methods[3].iterations == 12);
}

TEST_CASE("only what has a form in bfloat16 is read with it") {
  CHECK(parsed({"sinkhorn_bf16:3"})[0].bfloat16);
  for (const char* name : {"teacher_bf16", "f0_bf16", "guarded_bf16", "compiled+1_bf16",
                           "sinkhorn:3_bf16", "_bf16softmax", "softmax_bf16_bf16"})
    CHECK_THROWS_AS(parsed({name}), UsageError);
}

TEST_CASE("compiled methods have cascades, others do not") {
  for (const char* name : {"teacher:cascade", "softmax:cascade", "f0:cascade", "compiled:cascades"})
    CHECK_THROWS_AS(parsed({name}), UsageError);
  const std::vector<Method> all = with_cascades(
      parsed({"teacher", "compiled", "compiled+1:cascade", "compiled+1", "compiled@1"}));
  std::vector<std::string> names;
  for (const Method& method : all) names.push_back(method.name());
  CHECK(names == std::vector<std::string>{"teacher", "compiled", "compiled:cascade",
                                          "compiled+1:cascade", "compiled+1", "compiled@1"});
}

TEST_CASE("a method can be asked for layer by layer") {
  const std::vector<Method> methods = parsed({"f0@each", "compiled"});
  REQUIRE(methods.size() == 4);
  for (int layer = 0; layer < 3; ++layer)
    CHECK(methods[layer].name() == "f0@" + std::to_string(layer));
  CHECK(!methods[3].layers);
}

TEST_CASE(
    "layers the network does not have are refused, and so is replacing the teacher by itself") {
  for (const char* name : {"compiled@3", "compiled@", "compiled@2-1", "compiled@0-", "compiled@-1",
                           "compiled@all", "compiled@1@2", "teacher@0"})
    CHECK_THROWS_AS(parsed({name}), UsageError);
  CHECK_THROWS_AS(parsed({"f0@each", "f0@1"}), UsageError);
}

TEST_CASE("an unknown method is refused with the known ones") {
  try {
    parsed({"teacher", "sinkhron:3"});
    FAIL("accepted");
  } catch (const UsageError& error) {
    CHECK(std::string(error.what()) == "`methods`: unknown method 'sinkhron:3'");
    CHECK(error.hint().find("teacher, softmax, sinkhorn:K, sinkhorn:equal, f0, compiled") !=
          std::string::npos);
  }
}

TEST_CASE("method names need a sensible number of iterations and no repetition") {
  for (const char* name : {"sinkhorn:", "sinkhorn:x", "sinkhorn:-1", "sinkhorn:1.5", "sinkhorn:3x",
                           "compiled+", "compiled+99999999999", ""})
    CHECK_THROWS_AS_MESSAGE(parsed({name}), UsageError, name);
  CHECK_THROWS_AS(parsed({}), UsageError);
  CHECK_THROWS_AS(parsed({"f0", "f0"}), UsageError);
  // The same method under another name.
  CHECK_THROWS_AS(parsed({"compiled", "compiled+0"}), UsageError);
}

TEST_CASE("blanks around the names of methods do not matter") {
  const std::vector<std::string> names = {"teacher", " compiled", "sinkhorn:3 "};
  const std::vector<Method> methods = parse_methods(names, 2);
  CHECK(methods[1].name() == "compiled");
  CHECK(methods[2].name() == "sinkhorn:3");
}
