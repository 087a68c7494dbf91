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
    sparse     ///< the closure, then `iterations` on the entries that attention::SparsePolish keeps
  };
  Kind kind = Kind::loop;
  int iterations = 0;
  const attention::TransportMap* map = nullptr;  ///< of compiled and sparse
};

/// The assignment with dustbins, as probabilities. scores: [N, M], not empty, bin: score of the
/// dustbins, out: [N + 1, M + 1]. Entries that the sparse polish drops are zero. Where the polish
/// cannot iterate (PolishEvidence::polished is false), as many iterations are made on all entries.
/// The evidence is that of the polish, empty for other solvers.
attention::PolishEvidence solve_transport(tensor::MatrixView<const float> scores, float bin,
                                          const TransportSolver& solver,
                                          tensor::MatrixView<float> out, tensor::Arena& arena);

}  // namespace asap::infer
