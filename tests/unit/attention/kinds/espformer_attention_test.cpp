#include "attention/kinds/espformer_attention.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "base/random.h"

using namespace asap::attention;
using namespace asap::base;
using namespace asap::tensor;

namespace {

struct Case {
  Tensor<double> q, k, v, slices;
  double scale;

  AttentionHead<double> head() const { return {q.rows(), k.rows(), v.rows(), scale}; }
};

Case random_case(std::int64_t n, std::int64_t m, std::int64_t slices) {
  const std::int64_t d = 6;
  Case c{Tensor<double>({n, d}), Tensor<double>({m, d}), Tensor<double>({m, 5}),
         Tensor<double>({slices, d}), 0.4};
  RandomStream random(11, RandomPurpose::test);
  // Values that float holds exactly, so that both precisions see the same problem.
  for (Tensor<double>* tensor : {&c.q, &c.k, &c.v, &c.slices})
    for (double& x : tensor->flat()) x = static_cast<float>(random.normal());
  return c;
}

using Matrix = std::vector<std::vector<double>>;

double projection(MatrixView<const double> tokens, std::int64_t i, const Case& c, std::int64_t l) {
  double total = 0;
  for (std::int64_t k = 0; k < tokens.cols; ++k) total += tokens(i, k) * c.slices.rows()(l, k);
  return std::sqrt(c.scale) * total;
}

/// P_ri ∝ exp(-beta (s_(r) - s_i)²), by the book.
Matrix soft_permutation(MatrixView<const double> tokens, const Case& c, std::int64_t l,
                        double beta) {
  std::vector<double> s;
  for (std::int64_t i = 0; i < tokens.rows; ++i) s.push_back(projection(tokens, i, c, l));
  std::vector<double> sorted = s;
  std::ranges::sort(sorted);
  Matrix p(s.size(), std::vector<double>(s.size()));
  for (std::size_t r = 0; r < s.size(); ++r) {
    double total = 0;
    for (std::size_t i = 0; i < s.size(); ++i)
      total += p[r][i] = std::exp(-beta * (sorted[r] - s[i]) * (sorted[r] - s[i]));
    for (double& entry : p[r]) entry /= total;
  }
  return p;
}

/// What rank r of n shares with rank c of m, times n.
double coupling(double r, double c, double n, double m) {
  return n * std::max(0.0, std::min((r + 1) / n, (c + 1) / m) - std::max(r / n, c / m));
}

/// Γ_l entry by entry.
Matrix slice_plan(const Case& c, std::int64_t l, double beta) {
  const Matrix p = soft_permutation(c.q.rows(), c, l, beta);
  const Matrix q = soft_permutation(c.k.rows(), c, l, beta);
  Matrix plan(p.size(), std::vector<double>(q.size()));
  for (std::size_t r = 0; r < p.size(); ++r)
    for (std::size_t s = 0; s < q.size(); ++s) {
      const double shared = coupling(double(r), double(s), double(p.size()), double(q.size()));
      if (shared <= 0) continue;
      for (std::size_t i = 0; i < p.size(); ++i)
        for (std::size_t j = 0; j < q.size(); ++j) plan[i][j] += p[r][i] * shared * q[s][j];
    }
  return plan;
}

double squared_distance(const Case& c, std::int64_t i, std::int64_t j) {
  double total = 0;
  for (std::int64_t k = 0; k < c.q.shape()[1]; ++k) {
    const double difference = c.q.rows()(i, k) - c.k.rows()(j, k);
    total += c.scale * difference * difference;
  }
  return total;
}

/// The whole plan by the definition.
Matrix reference_plan(const Case& c, const EspformerSettings& settings) {
  const std::int64_t n = c.q.shape()[0], m = c.k.shape()[0];
  std::vector<Matrix> plans;
  std::vector<double> weights;
  double total = 0;
  for (std::int64_t l = 0; l < c.slices.shape()[0]; ++l) {
    plans.push_back(slice_plan(c, l, settings.sort_inverse_temperature));
    double cost = 0;
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < m; ++j)
        cost += squared_distance(c, i, j) * plans.back()[i][j] / static_cast<double>(n);
    weights.push_back(std::exp(-settings.slice_inverse_temperature * cost));
    total += weights.back();
  }
  Matrix plan(n, std::vector<double>(m));
  for (std::size_t l = 0; l < plans.size(); ++l)
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < m; ++j) plan[i][j] += weights[l] / total * plans[l][i][j];
  return plan;
}

/// The plan that the kind uses: its output for unit vectors as values.
template <class T>
Matrix computed_plan(const Case& c, const EspformerSettings& settings) {
  const auto to = [](const Tensor<double>& x) {
    Tensor<T> out(x.shape());
    std::copy(x.flat().begin(), x.flat().end(), out.flat().begin());
    return out;
  };
  const Tensor<T> q = to(c.q), k = to(c.k), slices = to(c.slices);
  const std::int64_t n = c.q.shape()[0], m = c.k.shape()[0];
  Tensor<T> unit({m, m}), output({n, m});
  for (std::int64_t j = 0; j < m; ++j) unit.rows()(j, j) = T(1);
  Arena scratch;
  espformer_attention<T>({q.rows(), k.rows(), unit.rows(), static_cast<T>(c.scale)}, slices.rows(),
                         settings, output.rows(), scratch);
  Matrix plan(n, std::vector<double>(m));
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < m; ++j) plan[i][j] = static_cast<double>(output.rows()(i, j));
  return plan;
}

double largest_difference(const Matrix& a, const Matrix& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[i].size(); ++j)
      largest = std::max(largest, std::abs(a[i][j] - b[i][j]));
  return largest;
}

double row_sum(const Matrix& plan, std::size_t i) {
  double total = 0;
  for (const double entry : plan[i]) total += entry;
  return total;
}

double column_sum(const Matrix& plan, std::size_t j) {
  double total = 0;
  for (const auto& row : plan) total += row[j];
  return total;
}

}  // namespace

TEST_CASE("sliced soft-sort attention is what its definition says, for any numbers of tokens") {
  // 70 and 130 tokens: more than one block of the soft permutation, the last one partly full.
  for (const auto& size : {std::pair<int, int>{9, 9}, {7, 12}, {12, 7}, {130, 70}, {1, 5}}) {
    const auto n = size.first;
    const auto m = size.second;
    CAPTURE(n);
    CAPTURE(m);
    const Case c = random_case(n, m, 3);
    for (const EspformerSettings settings : {EspformerSettings{4, 0.5}, EspformerSettings{4, 0}}) {
      const Matrix expected = reference_plan(c, settings);
      CHECK(largest_difference(computed_plan<double>(c, settings), expected) < 1e-12);
      // float32 exponents of up to 4 * 6² lose about 1e-5 of an entry.
      CHECK(largest_difference(computed_plan<float>(c, settings), expected) < 1e-4);
    }
  }
}

TEST_CASE("one slice needs no weights") {
  const Case c = random_case(8, 8, 1);
  CHECK(largest_difference(computed_plan<double>(c, {4, 0.5}), slice_plan(c, 0, 4)) < 1e-12);
}

TEST_CASE("a soft-sort plan has mass n, and is doubly stochastic once sorting is sharp") {
  const Case c = random_case(12, 8, 4);
  const Matrix soft = computed_plan<double>(c, {1, 0.1});
  double mass = 0;
  for (std::size_t i = 0; i < soft.size(); ++i) mass += row_sum(soft, i);
  CHECK(mass == doctest::Approx(12).epsilon(1e-12));

  const Matrix sharp = computed_plan<double>(c, {1e9, 0.1});
  for (std::size_t i = 0; i < 12; ++i)
    CHECK(row_sum(sharp, i) == doctest::Approx(1).epsilon(1e-12));
  for (std::size_t j = 0; j < 8; ++j)
    CHECK(column_sum(sharp, j) == doctest::Approx(1.5).epsilon(1e-12));
}

TEST_CASE("soft-sort attention without keys gives zeros, and no queries give nothing") {
  const Case c = random_case(3, 3, 2);
  Tensor<double> output({3, 5});
  for (double& value : output.flat()) value = 7;
  Arena scratch;
  AttentionHead<double> head = c.head();
  head.keys = {c.k.data(), 0, 6};
  head.values = {c.v.data(), 0, 5};
  espformer_attention<double>(head, c.slices.rows(), {}, output.rows(), scratch);
  for (const double value : output.flat()) CHECK(value == 0);
  head = c.head();
  head.queries = {c.q.data(), 0, 6};
  espformer_attention<double>(head, c.slices.rows(), {}, {output.data(), 0, 5}, scratch);
}
