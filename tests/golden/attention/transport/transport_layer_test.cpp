#include "attention/transport/transport_layer.h"

#include <doctest/doctest.h>

#include "golden/golden_file.h"

using namespace asap::attention;
using namespace asap::tensor;
using namespace asap::test;

namespace {

template <class T>
Tensor<T> read(const asap::io::TensorFile& file, const std::string& name) {
  return file.at(name).to<T>();
}

template <class T>
std::vector<double> widened(const Tensor<T>& values) {
  return {values.flat().begin(), values.flat().end()};
}

template <class T>
double difference(const Tensor<T>& actual, const Tensor<double>& expected) {
  return relative_difference(widened(actual), expected.flat());
}

/// Bounds of the relative difference to PyTorch's values in float64.
template <class T>
struct Bounds {
  double forward, gradient;
};

template <class T>
void compare(const asap::io::TensorFile& file, const std::string& name, const Bounds<T>& bounds) {
  CAPTURE(name);
  const Tensor<T> scores = read<T>(file, name + ".scores");
  const bool has_bin = name != "weighted";
  const std::int64_t n = scores.shape()[0] + has_bin, m = scores.shape()[1] + has_bin;
  Tensor<T> rows({n}), columns({m}), log_plan({n, m}), d_scores(scores.shape());
  TransportProblem<T> problem{scores.rows(), std::nullopt, rows.flat(), columns.flat()};
  if (has_bin) {
    problem.bin = read<T>(file, name + ".bin")[0];
    dustbin_marginals<T>(rows.flat(), columns.flat());
  } else {
    rows = read<T>(file, name + ".row_marginals");
    columns = read<T>(file, name + ".column_marginals");
    problem.row_marginals = rows.flat();
    problem.column_marginals = columns.flat();
  }
  Arena arena;
  const TransportDuals<T> duals{arena.vector<T>(n), arena.vector<T>(m)};
  const int iterations = std::stoi(file.metadata.at(name + ".iterations"));
  TransportState<T> state = transport<T>(problem, iterations, duals, arena);
  log_transport_plan<T>(problem, {duals.rows, duals.columns}, log_plan.rows());
  CHECK(difference(log_plan, golden(file, name + ".log_plan")) < bounds.forward);

  TransportGradients<T> gradients{d_scores.rows()};
  log_transport_plan_vjp<T>(problem, state, read<T>(file, name + ".log_plan_gradient").rows(),
                            gradients, arena);
  // One gradient, of the scores and the dustbin's: its error is relative to its largest element.
  std::vector<double> actual = widened(d_scores);
  std::vector<double> expected = widened(golden(file, name + ".scores_gradient"));
  if (has_bin) {
    actual.push_back(gradients.bin);
    expected.push_back(golden(file, name + ".bin_gradient")[0]);
  }
  CHECK(relative_difference(actual, expected) < bounds.gradient);
}

const char* const kCases[] = {"dustbins.single", "dustbins.rows_only", "dustbins.once",
                              "dustbins.tall",   "dustbins.sharp",     "dustbins.hundreds",
                              "weighted"};

}  // namespace

TEST_CASE("transport with dustbins and weights equals PyTorch's log-domain loop in double") {
  const auto file = read_golden("transport_layer.safetensors");
  for (const std::string name : kCases) compare<double>(file, name, {1e-12, 1e-10});
}

TEST_CASE("transport with dustbins and weights equals PyTorch's log-domain loop in float") {
  const auto file = read_golden("transport_layer.safetensors");
  for (const std::string name : kCases) compare<float>(file, name, {1e-6, 1e-5});
}
