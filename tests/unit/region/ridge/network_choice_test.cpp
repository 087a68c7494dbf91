#include "region/ridge/network_choice.h"

#include <cmath>

#include <doctest/doctest.h>

#include "support/drawn_rows.h"

namespace asap::test {
namespace {

/// slope * x beside a corner at x = corner, of two inputs.
region::ReluNetwork with_corner(double slope, double corner, double bend) {
  region::ReluNetwork network = region::linear_network({{slope, 0}, 0}, 1);
  region::DenseLayer first(3, 2), output(1, 3);
  for (int k = 0; k < 2; ++k) first.w(k, 0) = network.layers[0].w(k, 0);
  output.w(0, 0) = 1;
  output.w(0, 1) = -1;
  first.w(2, 0) = 1;
  first.bias[2] = -corner;
  output.w(0, 2) = bend;
  network.layers = {first, output};
  return network;
}

/// slope * x beside a corner at y = corner.
region::ReluNetwork with_corner_across(double slope, double corner, double bend) {
  region::ReluNetwork network = with_corner(slope, corner, bend);
  std::swap(network.layers[0].w(2, 0), network.layers[0].w(2, 1));
  return network;
}

region::RidgeSum linear_sum(double reach) {
  region::RidgeSpline flat{{1, 0}, {-1, 1}, std::vector<double>(13), reach};
  return {{flat}, {{1, 0}, 0}};
}

TEST_CASE("fitted networks win only by validation, and not if they leave the sum outside") {
  const region::Rows rows = drawn("x", 200, 0).rows, held = drawn("x", 100, 1).rows;
  const region::ReluNetwork folded = with_corner(0.9, 0, 0), good = with_corner(1, 5, 1),
                            wild = with_corner(1, 1, 50);
  const region::RidgeSum sum = linear_sum(0);
  const region::NetworkChoice choice{rows, held, folded, sum};
  CHECK(choice.best_of({with_corner(0.8, 0, 0)}) == std::nullopt);
  // A corner just outside the rows, where the validation rows see nothing of it.
  CHECK(choice.best_of({wild}) == std::nullopt);
  CHECK(choice.best_of({wild, with_corner(0.95, 5, 0), good}) == 2);
}

TEST_CASE("fitted networks that bend just outside, along one input or one ridge, are rejected") {
  const region::Rows rows = drawn("x", 200, 0).rows, held = drawn("x", 100, 1).rows;
  const region::ReluNetwork folded = with_corner(0.95, 0, 0);
  const region::RidgeSum sum = linear_sum(0);
  const region::NetworkChoice choice{rows, held, folded, sum};
  CHECK(choice.best_of({with_corner_across(0.97, 1.05, 0.5)}) == 0);
  for (const double bend : {3.0, -3.0, 10.0, 40.0}) {
    CAPTURE(bend);
    CHECK(choice.best_of({with_corner_across(0.97, 1.05, bend)}) == std::nullopt);
    CHECK(choice.best_of({with_corner(0.97, 1.05, bend)}) == std::nullopt);
    CHECK(choice.best_of({with_corner_across(0.97, 1.05, bend), with_corner(0.96, 5, 0)}) == 1);
  }
  // The corner lies far outside along both inputs, and just outside along the ridge between them.
  region::RidgeSum diagonal = sum;
  diagonal.ridges.front().direction = {std::sqrt(0.5), std::sqrt(0.5)};
  region::ReluNetwork bent = with_corner(0.97, 1.5, 10);
  bent.layers[0].w(2, 0) = bent.layers[0].w(2, 1) = std::sqrt(0.5);
  CHECK(region::NetworkChoice{rows, held, folded, diagonal}.best_of({bent}) == std::nullopt);
  // A folded network that is far worse leaves the choice to the rows left out.
  const region::ReluNetwork poor = with_corner(0.5, 0, 0);
  CHECK(region::NetworkChoice{rows, held, poor, sum}.best_of(
            {with_corner_across(0.97, 1.05, 2), with_corner(0.96, 5, 0)}) == 1);
  CHECK(region::NetworkChoice{rows, held, poor, sum}.best_of({with_corner_across(0.97, 1.05, 2)}) ==
        0);
}

TEST_CASE("where the sum is wrong on rows left out, networks need not stay near it outside") {
  const region::Rows rows = drawn("x+2*max(y,0)", 200, 0).rows;
  const region::Rows held = drawn("x+2*max(y,0)", 100, 1).rows;
  const region::ReluNetwork folded = with_corner(0.9, 0, 0), good = with_corner_across(1, 0, 2);
  const region::RidgeSum sum = linear_sum(0);
  const region::NetworkChoice choice{rows, held, folded, sum};
  CHECK(choice.best_of({good}) == 0);
}

TEST_CASE("with long tails the fits that agree far outside outvote one that is slightly better") {
  const region::Rows rows = drawn("x", 200, 0).rows, held = drawn("x", 100, 1).rows;
  const region::ReluNetwork folded = with_corner(0.5, 0, 0);
  const std::vector<region::ReluNetwork> networks = {
      with_corner(1, 1.3, -0.5), with_corner(0.999, 9, 0), with_corner(0.998, 9, 0),
      with_corner(0.9985, 9, 0)};
  const region::RidgeSum usual = linear_sum(0), tails = linear_sum(2);
  CHECK(region::NetworkChoice{rows, held, folded, usual}.best_of(networks) == 0);
  CHECK(region::NetworkChoice{rows, held, folded, tails}.best_of(networks) != 0);
}

}  // namespace
}  // namespace asap::test
