#include "region/target/rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/counted.h"
#include "base/error.h"
#include "base/random.h"
#include "region/target/formula.h"
#include "region/target/target.h"

namespace asap::region {
namespace {

/// Mean and standard deviation of strided values; the deviation is 0 only when all are equal.
/// Mean and standard deviation, which is 0 only if all values are the same.
std::pair<double, double> moments(const double* values, std::int64_t count, std::int64_t stride) {
  double mean = 0, square = 0;
  bool equal = true;
  for (std::int64_t i = 0; i < count; ++i) {
    mean += values[i * stride] / static_cast<double>(count);
    equal = equal && values[i * stride] == values[0];
  }
  for (std::int64_t i = 0; i < count; ++i) {
    const double distance = values[i * stride] - mean;
    square += distance * distance / static_cast<double>(count);
  }
  return {mean, equal ? 0 : std::max(std::sqrt(square), std::numeric_limits<double>::min())};
}

Rows take(const Rows& rows, std::span<const std::int64_t> order) {
  const std::int64_t inputs = rows.inputs();
  Rows taken{tensor::Tensor<double>({static_cast<std::int64_t>(order.size()), inputs}), {}};
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::ranges::copy(rows.row(order[i]), taken.x.data() + static_cast<std::int64_t>(i) * inputs);
    taken.y.push_back(rows.y[static_cast<std::size_t>(order[i])]);
  }
  return taken;
}

std::string point_text(std::span<const double> at, const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t j = 0; j < at.size(); ++j)
    text += (j == 0 ? "" : ", ") + names[j] + " = " + std::to_string(at[j]);
  return text;
}

}  // namespace

Rows sample_formula(const std::string& formula, const std::vector<std::string>& inputs,
                    numerics::Interval interval, std::int64_t count, std::uint64_t seed,
                    std::uint32_t stream) {
  check_interval(interval);
  const Surface f = compile_formula(formula, inputs);
  const auto width = static_cast<std::int64_t>(inputs.size());
  Rows rows{tensor::Tensor<double>({count, width}), {}};
  base::RandomStream random(seed, base::RandomPurpose::generated_data, stream);
  for (std::int64_t i = 0; i < count; ++i) {
    const tensor::VectorView<double> at = rows.x.rows().row(i);
    for (double& value : at) value = random.uniform(interval.low, interval.high);
    rows.y.push_back(f(at));
    if (!std::isfinite(rows.y.back()))
      throw base::NumericalError(
          "formula '" + formula + "' is not finite at " + point_text(at, inputs),
          "choose an `interval` without such points");
  }
  return rows;
}

RowSplit split_rows(const Rows& rows, double validation, double test, std::uint64_t seed,
                    std::int64_t least) {
  const std::int64_t n = rows.size();
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  base::RandomStream random(seed, base::RandomPurpose::shuffle);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  const auto held = static_cast<std::int64_t>(std::llround(validation * static_cast<double>(n)));
  const auto tested = static_cast<std::int64_t>(std::llround(test * static_cast<double>(n)));
  if (n - held - tested < least || held < least)
    throw base::DataError(base::counted(n, "row leaves", "rows leave") + " " +
                              std::to_string(n - held - tested) + " for training and " +
                              std::to_string(held) + " for validation, at least " +
                              std::to_string(least) + " of each are needed",
                          "use more rows, fewer inputs or other fractions");
  const std::span<const std::int64_t> all(order);
  const auto part = [&](std::int64_t first, std::int64_t count) {
    return take(rows,
                all.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
  };
  return {part(held + tested, n - held - tested), part(tested, held), part(0, tested)};
}

Standardisation Standardisation::of(const NamedRows& named) {
  const Rows& rows = named.rows;
  Standardisation result;
  const auto require = [](double deviation, const std::string& what) {
    if (deviation == 0)
      throw base::DataError(what + " has the same value in all training rows",
                            "leave the column out: `inputs` names the columns to use");
    if (!(deviation >= kLeastSpan && deviation <= kLargest))
      throw base::DataError(
          what + (deviation < kLeastSpan ? " differs too little between rows" : " is too large") +
              " to be standardised: squares of its values are no float64 numbers",
          "multiply it by a constant, or leave the column out: `inputs` names "
          "the columns to use");
  };
  for (std::int64_t j = 0; j < rows.inputs(); ++j) {
    const auto [mean, deviation] = moments(rows.x.data() + j, rows.size(), rows.inputs());
    require(deviation, "column '" + named.inputs[static_cast<std::size_t>(j)] + "'");
    result.mean.push_back(mean);
    result.deviation.push_back(deviation);
  }
  std::tie(result.target_mean, result.target_deviation) = moments(rows.y.data(), rows.size(), 1);
  require(result.target_deviation, "target '" + named.target + "'");
  return result;
}

Rows Standardisation::apply(const Rows& rows) const {
  Rows scaled = rows;
  const tensor::MatrixView<double> x = scaled.x.rows();
  for (std::int64_t i = 0; i < rows.size(); ++i)
    for (std::int64_t j = 0; j < x.cols; ++j) {
      const auto at = static_cast<std::size_t>(j);
      x(i, j) = (x(i, j) - mean[at]) / deviation[at];
    }
  for (double& value : scaled.y) value = (value - target_mean) / target_deviation;
  return scaled;
}

ReluNetwork Standardisation::fold_into(ReluNetwork network) const {
  DenseLayer& first = network.layers.front();
  for (std::int64_t k = 0; k < first.outputs(); ++k)
    for (std::int64_t j = 0; j < first.inputs(); ++j) {
      const auto at = static_cast<std::size_t>(j);
      first.w(k, j) /= deviation[at];
      first.bias[static_cast<std::size_t>(k)] -= first.w(k, j) * mean[at];
    }
  network.transform_output(target_deviation, target_mean);
  return network;
}

}  // namespace asap::region
