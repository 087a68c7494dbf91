#include "region/target/rows.h"

#include <cmath>
#include <set>

#include <doctest/doctest.h>

#include "base/error.h"
#include "base/random.h"
#include "support/error_message.h"

namespace asap::test {
namespace {

TEST_CASE("a split is disjoint, complete and a function of the seed") {
  region::Rows rows{tensor::Tensor<double>({100, 1}), {}};
  for (int i = 0; i < 100; ++i) {
    rows.x[i] = i;
    rows.y.push_back(-i);
  }
  const region::RowSplit split = region::split_rows(rows, 0.2, 0.1, 7, 4);
  CHECK(split.validation.size() == 20);
  CHECK(split.test.size() == 10);
  std::multiset<double> all;
  for (const region::Rows* part : {&split.training, &split.validation, &split.test})
    for (std::int64_t i = 0; i < part->size(); ++i) {
      all.insert(part->x[i]);
      CHECK(part->y[static_cast<std::size_t>(i)] == -part->x[i]);
    }
  CHECK(all == std::multiset<double>(rows.x.data(), rows.x.data() + 100));
  CHECK(region::split_rows(rows, 0.2, 0.1, 7, 4).test.y == split.test.y);
  CHECK(region::split_rows(rows, 0.2, 0.1, 8, 4).test.y != split.test.y);
  CHECK_THROWS_AS(region::split_rows(rows, 0.02, 0.1, 7, 4), base::DataError);
}

TEST_CASE("formulas are drawn in their cube, other streams draw other points") {
  const region::Rows rows = region::sample_formula("x*y+z", {"x", "y", "z"}, {-2, 3}, 50, 1, 0);
  for (std::int64_t i = 0; i < 50; ++i) {
    const double* x = rows.x.data() + 3 * i;
    for (int j = 0; j < 3; ++j) CHECK((x[j] >= -2 && x[j] < 3));
    CHECK(rows.y[static_cast<std::size_t>(i)] == doctest::Approx(x[0] * x[1] + x[2]));
  }
  CHECK(region::sample_formula("x", {"x"}, {0, 1}, 5, 1, 0).y ==
        region::sample_formula("x", {"x"}, {0, 1}, 5, 1, 0).y);
  CHECK(region::sample_formula("x", {"x"}, {0, 1}, 5, 1, 1).y !=
        region::sample_formula("x", {"x"}, {0, 1}, 5, 1, 0).y);
  CHECK(contains(message_of([] {
                   region::sample_formula("log(x)", {"x"}, {-1, 1}, 50, 1, 0);
                 }),
                 "is not finite at x = -"));
  CHECK_THROWS_AS(region::sample_formula("x+w", {"x"}, {0, 1}, 5, 1, 0), base::UsageError);
  CHECK_THROWS_AS(region::sample_formula("x", {"x", "x"}, {0, 1}, 5, 1, 0), base::UsageError);
  CHECK_THROWS_AS(region::sample_formula("x", {"2x"}, {0, 1}, 5, 1, 0), base::UsageError);
}

TEST_CASE("a network of standardised rows is the same function of the rows as they were") {
  region::NamedRows named{
      {"a", "b"}, "f", region::sample_formula("3*a-b+5", {"a", "b"}, {2, 9}, 40, 3, 0)};
  const region::Standardisation scales = region::Standardisation::of(named);
  const region::Rows unit = scales.apply(named.rows);
  double mean = 0, square = 0;
  for (std::int64_t i = 0; i < 40; ++i) {
    mean += unit.x[2 * i] / 40;
    square += unit.x[2 * i] * unit.x[2 * i] / 40;
  }
  CHECK(std::abs(mean) < 1e-12);
  CHECK(square == doctest::Approx(1));
  region::ReluNetwork network;
  region::DenseLayer first(3, 2), output(1, 3);
  base::RandomStream random(5, base::RandomPurpose::test);
  for (region::DenseLayer* layer : {&first, &output}) {
    for (double& weight : layer->weight.flat()) weight = random.normal();
    for (double& bias : layer->bias) bias = random.normal();
  }
  network.layers = {first, output};
  std::vector<double> expected(40), values(40);
  network.evaluate(unit.x.rows(), expected);
  scales.fold_into(network).evaluate(named.rows.x.rows(), values);
  for (std::size_t i = 0; i < 40; ++i)
    CHECK(values[i] == doctest::Approx(scales.target_mean + scales.target_deviation * expected[i]));
  const auto message = [&] { return message_of([&] { region::Standardisation::of(named); }); };
  for (std::int64_t i = 0; i < 40; ++i) named.rows.x[2 * i + 1] = 4;
  CHECK(contains(message(), "column 'b' has the same value"));
  for (const double scale : {1e-160, 1e-300}) {
    for (std::int64_t i = 0; i < 40; ++i)
      named.rows.x[2 * i + 1] = scale * static_cast<double>(i % 5);
    CHECK(contains(message(), "column 'b' differs too little between rows"));
  }
  for (std::int64_t i = 0; i < 40; ++i)
    named.rows.x[2 * i + 1] = 1e152 * static_cast<double>(i % 5);
  CHECK(contains(message(), "column 'b' is too large"));
}

}  // namespace
}  // namespace asap::test
