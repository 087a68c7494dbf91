#pragma once

#include "autodiff/tape.h"

namespace asap::autodiff {

/// What the transports of a run did, added up over problems.
struct TransportEvidence {
  std::int64_t problems = 0;
  std::int64_t log_domain_problems = 0;  ///< computed again in the log domain

  TransportEvidence& operator+=(const TransportEvidence& other) {
    problems += other.problems;
    log_domain_problems += other.log_domain_problems;
    return *this;
  }
};

/// The marginals of a transport: a [N (+ 1)], b [M (+ 1)]; zero masks a row or column. Whoever
/// makes the tape's pass keeps them until it ends.
template <class T>
struct Marginals {
  tensor::VectorView<const T> rows;
  tensor::VectorView<const T> columns;
};

/// Logarithm of the transport plan between two sets of points and their dustbins, after T
/// iterations from g = 0 (attention/transport/transport_layer.h), with the exact gradient of all of
/// them. scores: [N, M], bin: [1], the score of every entry of the dustbin row and column, which
/// come last -> [N + 1, M + 1]. Every point has mass 1, the dustbins N and M. A set may be empty.
template <class T>
Var<T> log_dustbin_plan(Var<T> scores, Var<T> bin, int iterations, TransportEvidence& evidence);

/// The same with any marginals: of the points and dustbins, [N + 1] and [M + 1], or without
/// dustbins, if `bin` is no valid Var: [N], [M] -> [N, M]. -infinity where a marginal is zero; no
/// gradient flows through those entries.
template <class T>
Var<T> log_transport_plan(Var<T> scores, Var<T> bin, const Marginals<T>& marginals, int iterations,
                          TransportEvidence& evidence);

}  // namespace asap::autodiff
