#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "region/fit/weights_model.h"

namespace asap::region {

/// Work put into fitting the raw weights of a network. The defaults are the recipe of `--method
/// best`.
struct PolishOptions {
  /// Corner roundings gone through in turn before plain ReLU, on inputs and outputs of range one.
  std::vector<double> smoothing{3e-3, 1e-3, 3e-4, 1e-4};
  int smoothed_iterations = 40;  ///< of Levenberg-Marquardt at each rounding
  int iterations = 200;          ///< of Levenberg-Marquardt on ReLU itself
  int hop_iterations = 150;
  double jitter = 3e-3;      ///< standard deviation of the noise that leaves the kinks of the start
  double guard_ratio = 1.5;  ///< largest dense error accepted, in training errors
};

/// A network as WeightsModel parameters with its errors.
struct PolishedWeights {
  std::vector<double> parameters;
  double error = 0;        ///< mean squared error on the samples of the fit
  double dense_error = 0;  ///< on the dense samples
  bool guarded = false;    ///< the dense error is within the guard
  std::int64_t iterations = 0;
};

/// Fits raw weights by Levenberg-Marquardt. The plain problem is full of kinks and poor minima;
/// rounding the corners of ReLU first, less and less, and hopping with noise find good ones. Every
/// result is checked on dense samples, because weights fitted to samples can hide spikes between
/// them.
class Polisher {
 public:
  /// `samples` are fitted, `dense` guards; x and y should have range about one.
  Polisher(const Samples& samples, const Samples& dense, const std::vector<std::int64_t>& widths,
           PolishOptions options);
  /// The same for several inputs; rows that were held out guard.
  Polisher(const TableRows& rows, const TableRows& held_out, const NetworkShape& shape,
           PolishOptions options);

  /// From a network of the given widths down the roundings to ReLU.
  PolishedWeights polish(const ReluNetwork& start, base::RandomStream& random);

  /// Tries `count` times to improve `best` by noise and a fit; keeps what is better and guarded.
  void hop(PolishedWeights& best, int count, base::RandomStream& random);

  ReluNetwork network(const PolishedWeights& weights) const {
    return model_.network(weights.parameters);
  }

 private:
  Polisher(WeightsModel model, WeightsModel dense_model, std::int64_t blocks,
           PolishOptions options);
  std::int64_t minimise(std::vector<double>& parameters, double tau, int iterations);
  void measure(PolishedWeights& weights);

  PolishOptions options_;
  std::int64_t blocks_;
  WeightsModel model_;
  WeightsModel dense_model_;
  tensor::Tensor<double> residuals_, dense_residuals_;
  numerics::LevenbergMarquardt solver_;
};

}  // namespace asap::region
