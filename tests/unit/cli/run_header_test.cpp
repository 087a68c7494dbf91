#include "cli/run_header.h"

#include <sstream>

#include <doctest/doctest.h>

#include "base/version.h"

using namespace asap::base;
using namespace asap::cli;

TEST_CASE("the run header lists its settings under the title") {
  CommonOptions options;
  options.threads = 2;
  std::ostringstream stream;
  RunHeader header(stream, options, "asap-train", 7);
  const std::string machine = stream.str();
  CHECK(machine.starts_with("asap-train " + version() +
                            "\n  threads     2\n  seed        7\n  SIMD        "));
  header.add("data", "shapes");
  CHECK(stream.str() == machine + "  data        shapes\n");
}

TEST_CASE("a header is silent with --quiet and --json") {
  CommonOptions options;
  options.quiet = true;
  std::ostringstream stream;
  RunHeader(stream, options, "asap-train", 7).add("data", "shapes");
  options.quiet = false;
  options.json = true;
  RunHeader(stream, options, "asap-train", 7).add("data", "shapes");
  CHECK(stream.str().empty());
}
