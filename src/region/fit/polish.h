#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "region/fit/weights_model.h"

namespace asap::region {

/// The work spent on the raw weights of a network. The defaults are the recipe of Method::best.
struct PolishOptions {
  /// Corner roundings, one after the other, before plain ReLU; inputs and outputs have range one.
  std::vector<double> smoothing{3e-3, 1e-3, 3e-4, 1e-4};
  int smoothed_iterations = 40;  ///< of Levenberg-Marquardt at each rounding
  int iterations = 200;          ///< of Levenberg-Marquardt on ReLU itself
  int hop_iterations = 150;
  double jitter = 3e-3;      ///< standard deviation of the noise that leaves the kinks of the start
  double guard_ratio = 1.5;  ///< largest accepted ratio of dense error to training error
};

/// Parameters of a WeightsModel with their errors.
struct PolishedWeights {
  std::vector<double> parameters;
  double error = 0;        ///< mean squared error on the samples of the fit
  double dense_error = 0;  ///< on the dense samples
  bool guarded = false;    ///< the dense error is within the guard
  std::int64_t iterations = 0;
};

/// Fits raw weights by Levenberg-Marquardt. The plain problem is full of kinks and poor minima.
/// Good minima are found by rounding the corners of ReLU, less and less, and by hopping with noise.
/// Every result is checked on dense samples, because weights fitted to samples can hide spikes
/// between them.
class Polisher {
 public:
  /// `samples` are fitted, `dense` guards; x and y should have range about one.
  Polisher(const Samples& samples, const Samples& dense, const std::vector<std::int64_t>& widths,
           PolishOptions options);

  /// Fits a network of these widths, through all roundings down to ReLU.
  PolishedWeights polish(const ReluNetwork& start, base::RandomStream& random);

  /// Parameters as they are, with their errors.
  PolishedWeights measured(std::vector<double> parameters);

  /// Tries `count` times to improve `best` by noise and another fit; keeps what is better and
  /// within the guard.
  void hop(PolishedWeights& best, int count, base::RandomStream& random);

  ReluNetwork network(const PolishedWeights& weights) const {
    return model_.network(weights.parameters);
  }

 private:
  std::int64_t minimise(std::vector<double>& parameters, double tau, int iterations);
  void measure(PolishedWeights& weights);

  PolishOptions options_;
  WeightsModel model_;
  WeightsModel dense_model_;
  numerics::LevenbergMarquardt solver_;
};

}  // namespace asap::region
