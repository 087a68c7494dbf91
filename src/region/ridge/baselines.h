#pragma once

#include "region/ridge/ridge_fit.h"

namespace asap::region {

/// What a fit of ridges is compared with, at about the same number of parameters. The values are
/// part of the random streams.
enum class Baseline {
  kaiming = 1,  ///< the blocks of the ridges from weights of He et al. 2015, refined like ours
  dense,  ///< dense ReLU networks of one to three hidden layers from weights of He et al., refined
          ///< like ours; the best on the validation rows
  adam,   ///< the same dense networks trained with Adam, as most users would
  kan,  ///< Kolmogorov-Arnold networks of one hidden layer by Levenberg-Marquardt; the best on the
        ///< validation rows
  linear,  ///< least squares with a small ridge
};

/// All of them, in the order of their values.
inline constexpr Baseline kBaselines[] = {Baseline::kaiming, Baseline::dense, Baseline::adam,
                                          Baseline::kan, Baseline::linear};
const char* baseline_name(Baseline baseline);

struct BaselineOptions {
  RidgeFitOptions ridge;
  NetworkShape reference;  ///< of the fit of ridges, whose number of parameters is matched
};

/// A fitted function of several inputs.
struct MethodFit {
  std::string method;   ///< "region" for a fit of ridges, else the name of a baseline
  ReluNetwork network;  ///< none for kan
  std::function<std::vector<double>(const Rows&)> predict;  ///< only for kan
  std::int64_t parameters = 0;          ///< weights and biases that may differ from zero
  double training = 0, validation = 0;  ///< mean squared errors
  std::string description;
};

/// Fits a baseline to standardised rows.
MethodFit fit_baseline(const LearningRows& rows, Baseline baseline, const BaselineOptions& options);

/// Dense networks of one, two and three equal hidden layers, each with the number of parameters
/// nearest to `parameters`.
std::vector<NetworkShape> dense_shapes(std::int64_t inputs, std::int64_t parameters);

/// Mean squared error on rows.
double error_of(const MethodFit& fit, const Rows& rows);
double network_error(const ReluNetwork& network, const Rows& rows);

}  // namespace asap::region
