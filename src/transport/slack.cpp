#include "transport/slack.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace asap::transport {
namespace {

constexpr int kMostSteps = 100;
constexpr double kTolerance = 1e-13;

template <class T>
T score(const Slack<T>& slack, std::size_t column) {
  return slack.scores.empty() ? T(0) : slack.scores[column];
}

/// log(exp(a) + exp(b))
template <class T>
T log_add(T a, T b) {
  return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
}

/// sum_j p_j and sum_j p_j (1 - p_j) with p_j = 1 / (1 + exp(a_j + x)), the shares that the other
/// rows keep of the columns.
struct Shares {
  double kept = 0, spread = 0;
};

Shares shares(const std::vector<double>& log_ratios, double x) {
  Shares total;
  for (const double a : log_ratios) {
    const double p = 1 / (1 + std::exp(a + x));
    total.kept += p;
    total.spread += p * (1 - p);
  }
  return total;
}

/// x = log s of slack_scaling, from the logarithms of the ratios, of any range. Newton's steps stay
/// in a bracket of the solution and are halved into it otherwise.
double solve_log_scaling(double capacity, const std::vector<double>& log_ratios) {
  const auto count = static_cast<double>(log_ratios.size());
  const auto [least, most] = std::ranges::minmax(log_ratios);
  double total = 0;
  for (const double a : log_ratios) total += std::exp(a - most);
  const double target = count / (1 + capacity);
  double low = std::log(capacity) - most - std::log(total / count);
  double high = std::log(capacity) - least, x = low;
  for (int step = 0; step < kMostSteps * 10 && high - low > kTolerance; ++step) {
    const Shares at = shares(log_ratios, x);
    if (std::abs(at.kept - target) <= kTolerance * target) break;
    (at.kept > target ? low : high) = x;
    // On count / kept as a function of s: s += (count / target - count / kept) / derivative.
    const double next = x + std::log1p((at.kept / target - 1) * at.kept / at.spread);
    x = next > low && next < high ? next : low + (high - low) / 2;
  }
  return x;
}

}  // namespace

template <class T>
T slack_dual(const Slack<T>& slack, std::int64_t rows, tensor::VectorView<const T> column_dual) {
  T largest = -std::numeric_limits<T>::infinity();
  for (std::size_t j = 0; j < column_dual.size(); ++j)
    largest = std::max(largest, score(slack, j) + column_dual[j]);
  T total = T(0);
  for (std::size_t j = 0; j < column_dual.size(); ++j)
    total += std::exp(score(slack, j) + column_dual[j] - largest);
  return std::log(slack.capacity * static_cast<T>(rows)) - largest - std::log(total);
}

template <class T>
void add_slack_to_columns(const Slack<T>& slack, std::int64_t rows, T slack_dual,
                          tensor::VectorView<T> column_dual) {
  const T log_mass = std::log(static_cast<T>(rows) / static_cast<T>(column_dual.size()));
  const T log_capacity = log_mass + std::log1p(slack.capacity);
  for (std::size_t j = 0; j < column_dual.size(); ++j)
    column_dual[j] =
        log_capacity - log_add(log_mass - column_dual[j], slack_dual + score(slack, j));
}

template <class T>
T close_slack(const Slack<T>& slack, std::int64_t rows, tensor::VectorView<T> column_dual) {
  if (!slack.exists()) return T(0);
  const double log_mass =
      std::log(static_cast<double>(rows) / static_cast<double>(column_dual.size()));
  std::vector<double> log_ratios(column_dual.size());
  for (std::size_t j = 0; j < log_ratios.size(); ++j)
    log_ratios[j] = static_cast<double>(score(slack, j)) + column_dual[j] - log_mass;
  const T dual = static_cast<T>(solve_log_scaling(slack.capacity, log_ratios));
  add_slack_to_columns<T>(slack, rows, dual, column_dual);
  return dual;
}

template <class T>
T slack_scaling(T capacity, tensor::VectorView<const T> ratios) {
  constexpr std::size_t kLanes = 16;  // sums side by side, which compilers turn into vectors
  constexpr T kClose = T(4) * std::numeric_limits<T>::epsilon();
  const auto count = static_cast<T>(ratios.size());
  T s = T(0);
  for (int step = 0; step < kMostSteps; ++step) {
    T kept_lanes[kLanes] = {}, slope_lanes[kLanes] = {};
    std::size_t j = 0;
    for (; j + kLanes <= ratios.size(); j += kLanes)
      for (std::size_t l = 0; l < kLanes; ++l) {
        const T p = T(1) / (T(1) + s * ratios[j + l]);
        kept_lanes[l] += p;
        slope_lanes[l] += p * p * ratios[j + l];
      }
    for (; j < ratios.size(); ++j) {
      const T p = T(1) / (T(1) + s * ratios[j]);
      kept_lanes[0] += p;
      slope_lanes[0] += p * p * ratios[j];
    }
    T kept = T(0), slope = T(0);
    for (std::size_t l = 0; l < kLanes; ++l) {
      kept += kept_lanes[l];
      slope += slope_lanes[l];
    }
    const T change = ((T(1) + capacity) * kept / count - T(1)) * kept / slope;
    s += change;
    if (!(change > kClose * s)) break;
  }
  return s;
}

#define ASAP_INSTANTIATE(T)                                                                       \
  template T slack_dual<T>(const Slack<T>&, std::int64_t, tensor::VectorView<const T>);           \
  template void add_slack_to_columns<T>(const Slack<T>&, std::int64_t, T, tensor::VectorView<T>); \
  template T close_slack<T>(const Slack<T>&, std::int64_t, tensor::VectorView<T>);                \
  template T slack_scaling<T>(T, tensor::VectorView<const T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::transport
