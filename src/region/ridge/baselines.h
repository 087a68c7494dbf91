#pragma once

#include "region/ridge/ridge_fit.h"

namespace asap::region {

/// How a function of several inputs is fitted. All but `region` are what it is compared with, at
/// about the same number of parameters.
enum class TableMethod {
  region,   ///< sum of region-constrained networks, fit_ridges()
  kaiming,  ///< the same blocks from weights of He et al. 2015, fitted like `region`
  dense,    ///< dense ReLU networks of one to three hidden layers from weights of He et al., fitted
            ///< like `region`; the one that validates best
  adam,     ///< the same dense networks with Adam, as most would train them
  kan,      ///< Kolmogorov-Arnold networks of one hidden layer by Levenberg-Marquardt, the one that
            ///< validates best
  linear,   ///< least squares with a small ridge
};

const char* table_method_name(TableMethod method);
/// UsageError names the nearest method.
TableMethod table_method_from_name(const std::string& name);

struct TableFitOptions {
  RidgeFitOptions ridge;
  /// Parameters of the others: those of the region fit.
  NetworkShape reference;
};

/// A fitted network of several inputs.
struct TableFit {
  TableMethod method = TableMethod::region;
  ReluNetwork network;  ///< none for kan
  std::function<std::vector<double>(const TableRows&)> predict;
  std::int64_t parameters = 0;          ///< weights and biases that may be other than zero
  double training = 0, validation = 0;  ///< mean squared errors
  std::string description;
};

/// Fits by any method but `region`, on standardised rows.
TableFit fit_baseline(const LearningRows& rows, TableMethod method, const TableFitOptions& options);

/// Dense networks of one, two and three equal hidden layers with the number of parameters nearest
/// to `parameters`.
std::vector<NetworkShape> dense_shapes(std::int64_t inputs, std::int64_t parameters);

/// Mean squared error on rows.
double error_of(const TableFit& fit, const TableRows& rows);
double network_error(const ReluNetwork& network, const TableRows& rows);

}  // namespace asap::region
