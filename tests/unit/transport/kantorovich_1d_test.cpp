#include "transport/kantorovich_1d.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "unit/transport/line_problem.h"

namespace asap::test {
namespace {

struct Potentials {
  std::vector<double> phi, psi;
};

Potentials solve(const Line& line) {
  tensor::Arena scratch;
  Potentials out{std::vector<double>(line.s.size()), std::vector<double>(line.t.size())};
  transport::kantorovich_potentials_1d<double>(line.s, line.t, out.phi, out.psi, scratch);
  return out;
}

/// Cost of sharing mass 1 monotonically, walking both sorted sequences (mass in units of 1 / (N
/// M)).
double monotone_cost(Line line) {
  std::sort(line.s.begin(), line.s.end());
  std::sort(line.t.begin(), line.t.end());
  const std::size_t rows = line.s.size(), cols = line.t.size();
  double cost = 0;
  std::size_t i = 0, j = 0, left_of_row = cols, left_of_column = rows;
  while (i < rows && j < cols) {
    const std::size_t moved = std::min(left_of_row, left_of_column);
    cost -= static_cast<double>(moved) * line.s[i] * line.t[j];
    if ((left_of_row -= moved) == 0) ++i, left_of_row = cols;
    if ((left_of_column -= moved) == 0) ++j, left_of_column = rows;
  }
  return cost / static_cast<double>(rows * cols);
}

/// Smallest cost over every assignment of the points, each repeated until both sides have lcm(N,
/// M): the vertices of the transport polytope, so this is the linear program solved by enumeration.
double brute_force_cost(const Line& line) {
  const std::size_t size = std::lcm(line.s.size(), line.t.size());
  std::vector<std::size_t> target(size);
  std::iota(target.begin(), target.end(), 0u);
  double best = INFINITY;
  do {
    double cost = 0;
    for (std::size_t k = 0; k < size; ++k)
      cost -= line.s[k * line.s.size() / size] * line.t[target[k] * line.t.size() / size];
    best = std::min(best, cost / static_cast<double>(size));
  } while (std::next_permutation(target.begin(), target.end()));
  return best;
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Sums of at most 64 products of order ten each carry less than 64 * 10 * 2^-53 = 7e-14.
constexpr double kTolerance = 1e-12;

TEST_CASE("The dual value of the 1D potentials is the cost of the best assignment") {
  std::uint32_t trial = 0;
  for (const auto& [rows, cols] : std::vector<std::pair<std::size_t, std::size_t>>{
           {1, 1}, {1, 5}, {5, 1}, {2, 3}, {3, 2}, {2, 6}, {6, 3}, {4, 4}, {7, 7}, {2, 8}})
    for (const int levels : {0, 2}) {
      const Line line = random_line(trial++, rows, cols, levels);
      const Potentials dual = solve(line);
      CHECK(std::abs(mean(dual.phi) + mean(dual.psi) - brute_force_cost(line)) < kTolerance);
    }
}

TEST_CASE("The 1D potentials are feasible and as dear as the monotone plan for any N, M and ties") {
  // Feasibility of the dual with equal value of a feasible plan proves both optimal.
  for (std::uint32_t trial = 0; trial < 400; ++trial) {
    base::RandomStream random(3, base::RandomPurpose::test, trial);
    const std::size_t rows = 1 + random.below(60), cols = 1 + random.below(60);
    const Line line = random_line(1000 + trial, rows, cols, trial % 3 == 0 ? 5 : 0);
    const Potentials dual = solve(line);
    double worst = 0;
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t j = 0; j < cols; ++j)
        worst = std::max(worst, dual.phi[i] + dual.psi[j] + line.s[i] * line.t[j]);
    CHECK(worst < kTolerance);
    CHECK(std::abs(mean(dual.phi) + mean(dual.psi) - monotone_cost(line)) < kTolerance);
    CHECK(std::abs(mean(dual.phi)) < kTolerance);
  }
}

TEST_CASE("The key-side potential is the c-transform of the query-side one") {
  const Line line = random_line(5, 31, 44, 0);
  const Potentials dual = solve(line);
  for (std::size_t j = 0; j < line.t.size(); ++j) {
    double smallest = INFINITY;
    for (std::size_t i = 0; i < line.s.size(); ++i)
      smallest = std::min(smallest, -line.s[i] * line.t[j] - dual.phi[i]);
    CHECK(std::abs(dual.psi[j] - smallest) < kTolerance);
  }
}

TEST_CASE("The query-side potential alone equals the one of the pair") {
  const Line line = random_line(6, 50, 23, 0);
  tensor::Arena scratch;
  std::vector<double> phi(line.s.size());
  transport::kantorovich_potential_1d<double>(line.s, line.t, phi, scratch);
  CHECK(phi == solve(line).phi);
}

TEST_CASE("Tied queries get the same potential") {
  const Line line = random_line(8, 40, 40, 4);
  const Potentials dual = solve(line);
  for (std::size_t i = 0; i < line.s.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (line.s[i] == line.s[k]) CHECK(dual.phi[i] == dual.phi[k]);
}

TEST_CASE("The float32 potential follows the float64 one") {
  for (const std::size_t size : {5u, 49u, 300u}) {  // both sorting branches
    const Line line = random_line(static_cast<std::uint32_t>(size), size, size + 3, 0);
    const std::vector<float> s(line.s.begin(), line.s.end()), t(line.t.begin(), line.t.end());
    std::vector<float> phi(size);
    tensor::Arena scratch;
    transport::kantorovich_potential_1d<float>(s, t, phi, scratch);
    const Potentials reference = solve(line);
    // Rounding the inputs moves each of `size` slopes by 2^-24 relative; the total variation is
    // below 20.
    for (std::size_t i = 0; i < size; ++i)
      CHECK(std::abs(phi[i] - reference.phi[i]) < 20 * std::ldexp(1.0, -22));
  }
}

}  // namespace
}  // namespace asap::test
