#include "transport/kantorovich_1d.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "tensor/core/tensor.h"
#include "transport/potential_lanes.h"
#include "transport/sorting.h"

namespace asap {
namespace {

struct Line {
  std::vector<double> s, t;
};

/// `levels` > 0 draws from that many values, so that most of them tie.
Line random_line(std::uint32_t trial, std::size_t rows, std::size_t cols, int levels) {
  base::RandomStream random(7, base::RandomPurpose::test, trial);
  const auto draw = [&] {
    return levels > 0 ? static_cast<double>(random.below(levels)) - levels / 2 : random.normal();
  };
  Line line{std::vector<double>(rows), std::vector<double>(cols)};
  for (double& value : line.s) value = draw();
  for (double& value : line.t) value = draw();
  return line;
}

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

TEST_CASE("Sorting is stable, treats both zeros as equal and returns the values it was given") {
  for (const std::size_t size : {7u, 39u, 40u, 257u}) {
    base::RandomStream random(11, base::RandomPurpose::test, static_cast<std::uint32_t>(size));
    std::vector<float> values(size);
    for (std::size_t i = 0; i < size; ++i)
      values[i] =
          i % 5 == 0 ? (i % 2 == 0 ? 0.0f : -0.0f) : static_cast<float>(random.below(9)) - 4.0f;
    std::vector<std::int32_t> expected(size), order(size);
    std::iota(expected.begin(), expected.end(), 0);
    std::stable_sort(expected.begin(), expected.end(),
                     [&](int a, int b) { return values[a] < values[b]; });
    std::vector<float> sorted(size);
    tensor::Arena scratch;
    transport::sort_with_order(tensor::VectorView<const float>(values), sorted, order, scratch);
    CHECK(order == expected);
    for (std::size_t r = 0; r < size; ++r) CHECK(sorted[r] == values[order[r]]);
  }
}

TEST_CASE("NaN does not break the sort of the other values") {
  for (const std::size_t size : {20u, 30u}) {
    std::vector<float> values(size);
    std::vector<double> doubles(size);
    for (std::size_t i = 0; i < size; ++i)
      doubles[i] = values[i] = i % 3 == 0 ? NAN : static_cast<float>((i * 7) % size);
    transport::sort_values(tensor::VectorView<float>(values));
    transport::sort_values(tensor::VectorView<double>(doubles));
    const std::size_t numbers = size - (size + 2) / 3;
    for (std::size_t i = 1; i < numbers; ++i) {
      CHECK(values[i - 1] <= values[i]);
      CHECK(doubles[i - 1] <= doubles[i]);
    }
  }
}

}  // namespace

TEST_CASE(
    "potentials of many short pairs at once equal those of one pair at a time, ties included") {
  tensor::Arena scratch;
  const std::pair<std::int64_t, std::int64_t> sizes[] = {{1, 1},     {1, 9},   {2, 2},   {7, 3},
                                                         {16, 16},   {49, 49}, {49, 60}, {196, 196},
                                                         {300, 512}, {512, 77}};
  for (const auto& size : sizes)
    for (const std::int64_t pairs : {1, 4, 16})
      for (const int levels : {0, 5}) {
        const auto n = size.first;
        const auto m = size.second;
        tensor::Tensor<float> s({pairs, n}), t({pairs, m});
        std::vector<float> weights(pairs), sum(n, 1.0f);
        std::vector<double> expected(n, 1.0), phi(n);
        for (std::int64_t l = 0; l < pairs; ++l) {
          Line line = random_line(static_cast<std::uint32_t>(100 + l), n, m, levels);
          std::ranges::copy(line.s, s.rows().row(l).begin());
          std::ranges::copy(line.t, t.rows().row(l).begin());
          std::ranges::copy(s.rows().row(l), line.s.begin());
          std::ranges::copy(t.rows().row(l), line.t.begin());
          weights[l] = 0.1f * static_cast<float>(l + 1);
          transport::kantorovich_potential_1d<double>(line.s, line.t, phi, scratch);
          for (std::int64_t i = 0; i < n; ++i) expected[i] += weights[l] * phi[i];
        }
        transport::add_kantorovich_potentials(s.rows(), t.rows(), weights, sum, scratch);
        INFO(n << " and " << m << " samples, " << pairs << " pairs, levels " << levels);
        // Rounding to the grid moves a sample of size 3 by 3e-7, a potential by that times a slope
        // of size 3.
        for (std::int64_t i = 0; i < n; ++i)
          REQUIRE(std::abs(sum[i] - expected[i]) < 2e-6 * static_cast<double>(pairs * pairs));
      }
}

}  // namespace asap
