#include "evaluate/matching/plan_picture.h"

#include <doctest/doctest.h>

#include "tensor/core/tensor.h"

using namespace asap;
using namespace asap::evaluate;

namespace {

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

}  // namespace

TEST_CASE("a plan's large entries and those of its dustbins are drawn, not the corner") {
  tensor::Tensor<float> plan({3, 4});
  plan[0] = .9F;   // points 0, 0
  plan[5] = .04F;  // too little
  plan[7] = .8F;   // point 1 to the dustbin
  plan[9] = .7F;   // the dustbin to point 1
  plan[11] = 1;    // corner
  const std::string svg = plan_picture(plan.rows());
  CHECK(count_of(svg, "<rect") == 1 + 3);
  CHECK(svg.find("fill-opacity=\"0.90\"") != std::string::npos);
  CHECK(count_of(svg, "#d55e00") == 2);
  CHECK(svg.find("viewBox=\"0 0 3.2 2.2\"") != std::string::npos);  // strip and gap: .06 of 3
}

TEST_CASE("a plan of empty sets is an empty picture") {
  const tensor::Tensor<float> plan({1, 1});
  CHECK(count_of(plan_picture(plan.rows()), "<rect") == 1);
}
