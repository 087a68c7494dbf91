#include "infer/transport_solver.h"

#include <algorithm>

#include "attention/transport/transport_layer.h"
#include "tensor/kernels/elementwise.h"

namespace asap::infer {
namespace {

using Problem = attention::TransportProblem<float>;
using Duals = attention::TransportDuals<float>;

void write_plan(const Problem& problem, const Duals& duals, tensor::MatrixView<float> out) {
  attention::log_transport_plan<float>(problem, {duals.rows, duals.columns}, out);
  for (std::int64_t i = 0; i < out.rows; ++i) tensor::exponential<float>(out.row(i), out.row(i));
}

void write_sparse_plan(const attention::SparsePlan<float>& plan, tensor::MatrixView<float> out) {
  const std::int64_t n = out.rows - 1, m = out.cols - 1;
  for (std::int64_t i = 0; i < n; ++i) {
    std::ranges::fill(out.row(i), 0.F);
    for (std::int64_t k = plan.row_starts[i]; k < plan.row_starts[i + 1]; ++k)
      out(i, plan.columns[k]) = plan.entries[k];
    out(i, m) = plan.row_bins[i];
  }
  std::ranges::copy(plan.column_bins, out.row(n).begin());
  out(n, m) = plan.corner;
}

}  // namespace

attention::PolishEvidence solve_transport(tensor::MatrixView<const float> scores, float bin,
                                          const TransportSolver& solver,
                                          tensor::MatrixView<float> out, tensor::Arena& arena) {
  using Kind = TransportSolver::Kind;
  base::check(out.rows == scores.rows + 1 && out.cols == scores.cols + 1 &&
                  (solver.kind == Kind::loop || solver.map != nullptr),
              "solve_transport: shapes do not fit, or no map");
  const tensor::ArenaScope scope(arena);
  const tensor::VectorView<float> a = arena.vector<float>(out.rows),
                                  b = arena.vector<float>(out.cols);
  attention::dustbin_marginals<float>(a, b);
  const Problem problem{.scores = scores, .bin = bin, .row_marginals = a, .column_marginals = b};
  const Duals duals{arena.vector<float>(out.rows), arena.vector<float>(out.cols)};
  attention::PolishEvidence evidence;
  if (solver.kind == Kind::loop) {
    attention::transport<float>(problem, solver.iterations, duals, arena);
  } else {
    const bool sparse = solver.kind == Kind::sparse;
    attention::compiled_transport<float>(problem, *solver.map, sparse ? 0 : solver.iterations,
                                         duals, arena);
    if (sparse) {
      attention::SparsePlan<float> plan;
      evidence = attention::sparse_polish<float>(problem, {.iterations = solver.iterations}, duals,
                                                 plan, arena);
      evidence.polished = evidence.polished && evidence.dropped_mass <= kMostDropped;
      if (evidence.polished) {
        write_sparse_plan(plan, out);
        return evidence;
      }
      attention::compiled_transport<float>(problem, *solver.map, solver.iterations, duals, arena);
    }
  }
  write_plan(problem, duals, out);
  return evidence;
}

}  // namespace asap::infer
