#include "region/pieces/damping.h"

#include <doctest/doctest.h>

namespace asap::test {
namespace {

TEST_CASE("damping falls with every step that helps and rises faster with every one that fails") {
  region::Damping damping;
  const double first = damping.value();
  damping.failed();
  CHECK(damping.value() == 2 * first);
  damping.failed();
  CHECK(damping.value() == 8 * first);
  damping.helped(1, 0.5);
  CHECK(damping.value() == 8 * first / 5);
  damping.failed();
  CHECK(damping.value() == 2 * (8 * first / 5));
  for (int i = 0; i < 40; ++i) damping.helped(1, 0.5);
  CHECK(damping.value() > 0);
  CHECK_FALSE(damping.ends());
}

TEST_CASE("a refinement ends when steps hardly help any more, or nothing does") {
  region::Damping idle;
  for (int i = 0; i < 3; ++i) idle.helped(1, 1 - 1e-9);
  CHECK_FALSE(idle.ends());
  idle.helped(1, 0.5);
  for (int i = 0; i < 4; ++i) idle.helped(1, 1 - 1e-9);
  CHECK(idle.ends());
  region::Damping stuck;
  int steps = 0;
  for (; !stuck.ends() && steps < 100; ++steps) stuck.failed();
  CHECK(steps < 20);
}

}  // namespace
}  // namespace asap::test
