#include "cli/version.h"

#include <doctest/doctest.h>

#include "unit/cli/run_tool.h"

using namespace asap::cli;
using namespace asap::test;

TEST_CASE("--version names version, compiler and instruction set") {
  const Outcome outcome = run_plain({"--version"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out == version_line("tool") + "\n");
  CHECK(outcome.out.find(simd_name()) != std::string::npos);
}
