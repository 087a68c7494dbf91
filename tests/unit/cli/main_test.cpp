#include "cli/main.h"

#include <filesystem>
#include <new>

#include <doctest/doctest.h>

#include "base/error.h"
#include "unit/cli/run_tool.h"

using namespace asap::base;
using namespace asap::cli;
using namespace asap::test;

namespace {

Outcome run_throwing(const std::function<void()>& thrower) {
  return run({}, [&](const Arguments&) { thrower(); });
}

}  // namespace

TEST_CASE("a body that returns ends with exit code 0 and prints nothing") {
  const Outcome outcome = run_throwing([] {});
  CHECK(outcome.code == 0);
  CHECK(outcome.out.empty());
  CHECK(outcome.error.empty());
}

TEST_CASE("each kind of error has its exit code and one line on stderr") {
  const Outcome usage = run_throwing([] { throw UsageError("no such layer", "there are 3"); });
  CHECK(usage.code == 2);
  CHECK(usage.error == "tool: error: no such layer (hint: there are 3)\n");

  const Outcome data = run_throwing([] { throw DataError("'a.idx' is cut short"); });
  CHECK(data.code == 3);
  CHECK(data.error == "tool: error: 'a.idx' is cut short\n");

  CHECK(run_throwing([] { throw NumericalError("loss is nan"); }).code == 4);
  CHECK(run_throwing([] { check(false, "broken"); }).code == 70);
}

TEST_CASE("errors of the standard library are reported in the same form") {
  const Outcome memory = run_throwing([] { throw std::bad_alloc(); });
  CHECK(memory.code == 3);
  CHECK(memory.error.starts_with("tool: error: out of memory (hint: "));

  const Outcome file = run_throwing([] { std::filesystem::rename("/nowhere/a", "/nowhere/b"); });
  CHECK(file.code == 3);
  CHECK(file.error.find("/nowhere/a") != std::string::npos);

  const Outcome other = run_throwing([] { throw std::logic_error("impossible"); });
  CHECK(other.code == 70);
  CHECK(other.error.find("impossible (hint: this is a defect") != std::string::npos);
}

TEST_CASE("bytes that a terminal would obey are escaped in messages and hints") {
  CHECK(run_throwing([] {
          throw DataError(
              "got '\x9b"
              "2J'",
              "café\033[2J\t!");
        }).error == "tool: error: got '\\x9b2J' (hint: café\\x1b[2J !)\n");
  const Outcome file = run_throwing([] { std::filesystem::rename("/no\xff", "/no\033"); });
  CHECK(file.error.find("/no\\xff") != std::string::npos);
  CHECK(file.error.find('\033') == std::string::npos);
}

TEST_CASE("a message of several lines is printed as one") {
  CHECK(run_throwing([] { throw DataError("first\nsecond"); }).error ==
        "tool: error: first second\n");
}
