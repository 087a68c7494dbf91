#include "evaluate/compare/time_estimate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/timing.h"

namespace asap::evaluate {
namespace {

using Table = std::vector<std::vector<double>>;  // [methods][turns]

constexpr int kPolishes = 4;
constexpr double kMostDeviations = 1.5;  // Huber: costs 4 % where the noise is normal
constexpr double kLeastTime = 1e-9;      // below what a clock can tell
constexpr double kNormal = 1.4826;       // from a median of absolute values to a standard deviation

/// Logarithms of the times: method + turn + noise.
struct TurnModel {
  std::vector<double> method, turn;  // [methods], [turns]
  Table noise;                       // [methods][turns]
};

/// Tukey's median polish. A method alone has no others to tell what the turns have in common: there
/// the number of examples does.
TurnModel fit_turns(const Table& logs, std::span<const std::int64_t> examples) {
  const std::size_t methods = logs.size(), turns = examples.size();
  TurnModel model{std::vector<double>(methods), std::vector<double>(turns), logs};
  std::vector<double> column(methods), row(turns);
  for (int polish = 0; polish < kPolishes; ++polish) {
    for (std::size_t t = 0; t < turns; ++t) {
      for (std::size_t m = 0; m < methods; ++m) column[m] = logs[m][t] - model.method[m];
      model.turn[t] =
          methods > 1 ? base::median(column) : std::log(static_cast<double>(examples[t]));
    }
    for (std::size_t m = 0; m < methods; ++m) {
      for (std::size_t t = 0; t < turns; ++t) row[t] = logs[m][t] - model.turn[t];
      model.method[m] = base::median(row);
    }
  }
  for (std::size_t m = 0; m < methods; ++m)
    for (std::size_t t = 0; t < turns; ++t)
      model.noise[m][t] = logs[m][t] - model.method[m] - model.turn[t];
  return model;
}

double deviation(std::vector<double> noise) {
  for (double& value : noise) value = std::abs(value);
  return kNormal * base::median(std::move(noise));
}

double deviation(const Table& noise) {
  std::vector<double> all;
  for (const std::vector<double>& row : noise) all.insert(all.end(), row.begin(), row.end());
  return deviation(std::move(all));
}

/// The median takes a share of each method's noise with it: what is left is smaller by this.
double lost_in_the_median(std::size_t methods) {
  const auto count = static_cast<double>(methods);
  return methods > 1 ? std::sqrt(count / (count - 1)) : 1.0;
}

}  // namespace

std::vector<TimeEstimate> estimate_times(const std::vector<std::vector<double>>& seconds,
                                         std::span<const std::int64_t> examples) {
  Table logs = seconds;
  for (std::vector<double>& row : logs)
    for (double& value : row) value = std::log(std::max(value, kLeastTime));
  const TurnModel model = fit_turns(logs, examples);
  const auto turns = static_cast<double>(examples.size());
  const auto total =
      static_cast<double>(std::accumulate(examples.begin(), examples.end(), std::int64_t{0}));
  std::vector<TimeEstimate> estimates;
  for (std::size_t m = 0; m < seconds.size(); ++m) {
    // A method in the middle of the others often has no noise at all: theirs counts as well.
    const double most =
        kMostDeviations * std::max(deviation(model.noise[m]), deviation(model.noise));
    double sum = 0, squares = 0, kept = 0;  // `kept`: turns that were not cut
    for (std::size_t t = 0; t < examples.size(); ++t) {
      const double noise = std::clamp(model.noise[m][t], -most, most);
      const double time = std::exp(model.method[m] + model.turn[t] + noise);
      sum += time;
      squares += time * time * noise * noise;
      if (noise == model.noise[m][t]) ++kept;
    }
    const double error = turns > 1
                             ? lost_in_the_median(seconds.size()) *
                                   std::sqrt(squares * turns / (turns - 1)) / sum * (turns / kept)
                             : std::numeric_limits<double>::quiet_NaN();
    estimates.push_back({sum / total, 2 * error});
  }
  return estimates;
}

}  // namespace asap::evaluate
