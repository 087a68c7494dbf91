#include "region/network/region_page.h"

#include <doctest/doctest.h>

#include "support/error_message.h"

namespace asap::test {
namespace {

TEST_CASE("the page holds the facts, the picture and the pieces, with texts escaped") {
  const std::string picture = region::draw_pieces({0, 0.5, 1}, {2, 3, -1}, "a<b");
  const std::string page = region::region_page(
      {"a & b", {{"inputs", "<x>"}}, picture, "caption", {{{0, 0.5}, 2}, {{0.5, 1}, -8}}});
  for (const char* part : {"<title>a &amp; b</title>", "&lt;x&gt;", "a&lt;b", "<polyline", "-8"})
    CHECK_MESSAGE(contains(page, part), part);
  CHECK_FALSE(contains(page, "<x>"));
  // It needs no other file.
  for (const char* part : {"src=", "<script", "<link"}) CHECK_FALSE(contains(page, part));
}

TEST_CASE("a picture of pieces marks every breakpoint, also of a constant") {
  const std::string constant = region::draw_pieces({0, 1, 2}, {5, 5, 5}, "x");
  CHECK_FALSE(contains(constant, "nan"));
  std::size_t marks = 0;
  for (std::size_t at = constant.find("<line"); at != constant.npos;
       at = constant.find("<line", at + 1))
    ++marks;
  CHECK(marks == 3 + 3);  // grid lines and breakpoints
}

TEST_CASE("a table of very many pieces is cut, which is said") {
  region::RegionPage page;
  for (int k = 0; k < 1500; ++k) page.pieces.push_back({{k + 0.0, k + 1.0}, 1});
  CHECK(contains(region::region_page(page), "The first 1,000 of 1,500"));
}

}  // namespace
}  // namespace asap::test
