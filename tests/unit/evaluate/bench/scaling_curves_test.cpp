#include "evaluate/bench/scaling_curves.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/files.h"
#include "support/temporary_folder.h"

using namespace asap::base;
using namespace asap::evaluate;
using namespace asap::test;

TEST_CASE("times by number of tokens are read from what bench wrote, and nothing else") {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& text) {
    write_file_atomically(folder / "summary.json", text);
    return read_scaling_curves(folder.path());
  };
  const ScalingCurves scaling =
      read(R"({"command":"x","threads":2,"rows":[{"n":64,"d":8,"softmax":0.5},
           {"n":128,"d":8,"softmax":2,"compiled":1}]})");
  REQUIRE(scaling.curves.size() == 2);
  CHECK(scaling.curves[0].tokens == std::vector<double>{64, 128});
  CHECK(scaling.curves[1].milliseconds == std::vector<double>{1});
  CHECK(scaling.head_width == 8);
  for (const char* text :
       {"{}", "[]", R"({"rows":1})", R"({"threads":1,"rows":[1]})", R"({"threads":1,"rows":[]})",
        R"({"threads":1,"rows":[{"n":64,"d":"8"}]})", R"({"rows":[{"n":64,"d":8,"softmax":1}]})"})
    CHECK_THROWS_AS_MESSAGE(read(text), DataError, text);
}
