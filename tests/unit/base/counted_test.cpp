#include "base/counted.h"

#include <vector>

#include <doctest/doctest.h>

using namespace asap::base;

TEST_CASE("one thing is named in the singular, any other number in the plural") {
  CHECK(counted(0, "head") == "0 heads");
  CHECK(counted(1, "head") == "1 head");
  CHECK(counted(2, "head") == "2 heads");
  CHECK(counted(-1, "head") == "-1 heads");
  CHECK(counted(1024, "example") == "1,024 examples");
  CHECK(counted(std::vector<int>(1).size(), "class", "classes") == "1 class");
  CHECK(counted(3, "class", "classes") == "3 classes");
  CHECK(counted_plural(1, "images") == "1 image");
  CHECK(counted_plural(2, "images") == "2 images");
  CHECK(counted(1, "row lies", "rows lie") == "1 row lies");
}
