#include "attention/transport/transport_map.h"

#include <cmath>

#include <doctest/doctest.h>

#include "attention/transport/sparse_polish.h"
#include "compile/transport_fit.h"
#include "golden/golden_file.h"
#include "support/matching_pairs.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

namespace {

MatchingPair pair_of(const asap::io::TensorFile& file, int number) {
  return pair_of_scores(golden(file, "scores." + std::to_string(number)), golden(file, "bin")[0]);
}

int number(const asap::io::TensorFile& file, const std::string& name) {
  return std::stoi(file.metadata.at(name));
}

/// The map fitted to all pairs but the last.
TransportMap fitted(const asap::io::TensorFile& file) {
  Arena scratch;
  asap::compile::TransportFit fit(number(file, "iterations"));
  for (int p = 0; p < number(file, "pairs"); ++p) fit.add(pair_of(file, p).problem(), scratch);
  return fit.solve();
}

// The normal equations with a relative ridge of 1e-5 have a condition of some 1e6, so that two
// solvers agree to about 1e-10 of the largest value.
constexpr double kFitTolerance = 1e-9;

}  // namespace

TEST_CASE("features, fitted dual and closure equal PyTorch's") {
  const auto file = read_golden("transport_map.safetensors");
  const TransportMap map = fitted(file);
  const MatchingPair pair = pair_of(file, number(file, "pairs"));
  Arena scratch;
  const Tensor<double> expected = golden(file, "features");
  Tensor<double> features(expected.shape());
  transport_features<double>(pair.problem(), features.rows(), scratch);
  CHECK(relative_difference(features.flat(), expected.flat()) < 1e-13);
  std::vector<double> predicted;
  for (std::int64_t i = 0; i < expected.shape()[0]; ++i) {
    double sum = 0;
    for (int p = 0; p < kTransportFeatures; ++p) sum += map.weights[p] * features.rows()(i, p);
    predicted.push_back(sum);
  }
  CHECK(relative_difference(predicted, golden(file, "predicted").flat()) < kFitTolerance);
  for (const int count : {1, 2}) {
    OwnDuals<double> duals(pair.problem());
    compiled_transport<double>(pair.problem(), map, count - 1, duals.view(), scratch);
    const Tensor<double> plan = golden(file, "log_plan." + std::to_string(count));
    Tensor<double> actual(plan.shape());
    log_transport_plan<double>(pair.problem(), std::as_const(duals).view(), actual.rows());
    CHECK(relative_difference(actual.flat(), plan.flat()) < kFitTolerance);
  }
}

TEST_CASE("the sparse polish of a compiled plan equals PyTorch's on masked scores") {
  const auto file = read_golden("transport_map.safetensors");
  const MatchingPair pair = pair_of(file, number(file, "pairs"));
  Arena scratch;
  OwnDuals<double> duals(pair.problem());
  compiled_transport<double>(pair.problem(), fitted(file), 0, duals.view(), scratch);
  SparsePlan<double> plan;
  const PolishEvidence evidence = sparse_polish<double>(
      pair.problem(), {std::stod(file.metadata.at("threshold")), number(file, "polishing"), 0},
      duals.view(), plan, scratch);
  CHECK(evidence.polished);
  const Tensor<double> expected = golden(file, "polished");
  Tensor<double> actual(expected.shape());
  const std::int64_t n = pair.scores.shape()[0], m = pair.scores.shape()[1];
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t k = plan.row_starts[i]; k < plan.row_starts[i + 1]; ++k)
      actual.rows()(i, plan.columns[k]) = plan.entries[k];
    actual.rows()(i, m) = plan.row_bins[i];
  }
  for (std::int64_t j = 0; j < m; ++j) actual.rows()(n, j) = plan.column_bins[j];
  actual.rows()(n, m) = plan.corner;
  CHECK(relative_difference(actual.flat(), expected.flat()) < kFitTolerance);
}
