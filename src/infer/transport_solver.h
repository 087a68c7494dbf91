#pragma once

#include "attention/transport/sparse_polish.h"
#include "attention/transport/transport_map.h"
#include "tensor/core/arena.h"

namespace asap::infer {

/// How the transport with dustbins of a matcher is solved.
struct TransportSolver {
  enum class Kind {
    loop,      ///< `iterations` T of Sinkhorn
    compiled,  ///< the closure of the predicted dual, then `iterations` more
    sparse     ///< the closure, then at most `iterations` as attention::SparsePolish says
  };
  Kind kind = Kind::loop;
  int iterations = 0;
  const attention::TransportMap* map = nullptr;  ///< of compiled and sparse
};

/// Mean share of a row that a sparse polish may drop.
inline constexpr double kMostDropped = 0.1;

/// The assignment with dustbins, as probabilities. scores: [N, M], not empty, bin: score of the
/// dustbins, out: [N + 1, M + 1]. Entries that the sparse polish drops are zero. Where it
/// would drop more than kMostDropped of the mass of rows, or cannot iterate, as many iterations are
/// made on all entries and PolishEvidence::polished is false. The evidence is that of the polish,
/// empty for other solvers.
attention::PolishEvidence solve_transport(tensor::MatrixView<const float> scores, float bin,
                                          const TransportSolver& solver,
                                          tensor::MatrixView<float> out, tensor::Arena& arena);

}  // namespace asap::infer
