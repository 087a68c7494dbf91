#pragma once

#include <vector>

#include "base/random.h"
#include "region/fit/weights_model.h"

namespace asap::region {

/// The work spent on the raw weights of a network of several inputs.
struct RefinementOptions {
  /// Corner roundings, one after the other, before plain ReLU; rows have deviation one.
  std::vector<double> smoothing{1e-1, 3e-2, 1e-2, 3e-3, 1e-3};
  int smoothed_iterations = 30;  ///< of Levenberg-Marquardt at each rounding
  int iterations = 150;          ///< of Levenberg-Marquardt on ReLU itself
  int hops = 6;                  ///< times to add noise, fit again and keep what validates better
  int hop_iterations = 60;
  double jitter = 3e-3;  ///< standard deviation of the noise that leaves the kinks of the start
  /// Weight decay: adds this times the sum of squares of all parameters to the cost.
  double decay = 0;
  /// If positive, this many steps of Adam replace all of the above.
  int adam_steps = 0;
  double adam_rate = 1e-2;  ///< learning rate of the first step

  /// The options for a network of this size: large networks get proportionally fewer iterations, or
  /// Adam when too few would remain.
  RefinementOptions limited(std::int64_t parameters, std::int64_t rows) const;
  /// Iterations of begin() and of finish().
  int first_iterations() const { return static_cast<int>(smoothing.size()) * smoothed_iterations; }
  int last_iterations() const { return iterations + hops * hop_iterations; }
  /// The options with this part of the iterations.
  RefinementOptions part(double share) const;
};

/// Weight decays to try: zero, and two more when there are fewer than ten rows per parameter, so
/// that weights could fit single rows.
std::vector<double> decays_for(std::int64_t parameters, std::int64_t rows);

/// Raw weights with their mean squared errors.
struct RefinedWeights {
  std::vector<double> parameters;  ///< of a WeightsModel
  double training = 0, validation = 0;
  std::vector<double> last{};  ///< where begin() stopped, from which finish() goes on
};

/// Fits the raw weights of a network to the training rows and returns the weights that were best on
/// the validation rows: early stopping when rows are noisy.
class WeightRefiner {
 public:
  WeightRefiner(const Rows& training, const Rows& validation, const NetworkShape& shape,
                RefinementOptions options);

  /// begin() and finish().
  RefinedWeights refine(std::vector<double> start, base::RandomStream& random);
  /// The first part: rounded corners. With Adam, all of the work.
  RefinedWeights begin(std::vector<double> start, base::RandomStream& random);
  /// The second part: ReLU itself, and hops.
  RefinedWeights finish(RefinedWeights best, base::RandomStream& random);
  /// Fits ReLU itself from these weights, without hops.
  RefinedWeights polish(std::vector<double> start);

 private:
  /// Fits at the rounding `tau`; `best` keeps the result if it validates better.
  void fit(std::vector<double>& parameters, double tau, int iterations, RefinedWeights& best);
  void consider(const std::vector<double>& parameters, RefinedWeights& best);
  void hop(RefinedWeights& best, base::RandomStream& random);

  RefinementOptions options_;
  WeightsModel training_, validation_;
  numerics::LevenbergMarquardt solver_;
};

}  // namespace asap::region
