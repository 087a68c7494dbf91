#pragma once

#include <vector>

#include "base/random.h"
#include "region/fit/weights_model.h"

namespace asap::region {

/// Work put into the raw weights of a network of several inputs.
struct RefinementOptions {
  /// Corner roundings gone through in turn before plain ReLU, on rows of deviation one.
  std::vector<double> smoothing{1e-1, 3e-2, 1e-2, 3e-3, 1e-3};
  int smoothed_iterations = 30;  ///< of Levenberg-Marquardt at each rounding
  int iterations = 150;          ///< of Levenberg-Marquardt on ReLU itself
  int hops = 6;                  ///< disturb, fit again, keep what validates better
  int hop_iterations = 60;
  double jitter = 3e-3;  ///< standard deviation of the noise that leaves the kinks of the start
  /// Weight decay: this times the sum of squares of all parameters is added to the cost.
  double decay = 0;
  /// Adam instead of all that when positive: steps, and the rate of the first one.
  int adam_steps = 0;
  double adam_rate = 1e-2;

  /// The same for so large a network that it must do with less: fewer iterations in proportion, and
  /// Adam where too few would be left.
  RefinementOptions limited(std::int64_t parameters, std::int64_t rows) const;
};

/// Weight decays worth trying: none, and where there are fewer than ten rows for each parameter, so
/// that weights can chase single rows, two more.
std::vector<double> decays_for(std::int64_t parameters, std::int64_t rows);

/// Raw weights with their mean squared errors.
struct RefinedWeights {
  std::vector<double> parameters;  ///< of a WeightsModel
  double training = 0, validation = 0;
};

/// Fits the raw weights of a network to training rows and returns those that did best on validation
/// rows on the way: where rows are noisy, that stops early.
class WeightRefiner {
 public:
  WeightRefiner(const TableRows& training, const TableRows& validation, const NetworkShape& shape,
                RefinementOptions options);

  RefinedWeights refine(std::vector<double> start, base::RandomStream& random);
  ReluNetwork network(const RefinedWeights& weights) const {
    return training_.network(weights.parameters);
  }

 private:
  /// Fits at a rounding and keeps the result in `best` when it validates better.
  void fit(std::vector<double>& parameters, double tau, int iterations, RefinedWeights& best);
  void consider(const std::vector<double>& parameters, RefinedWeights& best);
  void hop(RefinedWeights& best, base::RandomStream& random);
  double error(WeightsModel& model, const std::vector<double>& parameters);

  RefinementOptions options_;
  WeightsModel training_, validation_;
  numerics::LevenbergMarquardt solver_;
};

}  // namespace asap::region
