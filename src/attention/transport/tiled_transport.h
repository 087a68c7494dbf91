#pragma once

#include "attention/transport/transport_problem.h"
#include "tensor/core/arena.h"

namespace asap::attention {

/// Transport with dustbins between two sets of descriptors, whose scores are their products. Every
/// point has mass 1 (see dustbin_marginals). N and M > 0.
struct DescriptorTransport {
  tensor::MatrixView<const float> queries;  ///< [N, D]
  tensor::MatrixView<const float> keys;     ///< [M, D]
  float bin = 0;                            ///< score of the dustbins
};

/// The duals of transport() in memory O((N + M) D): scores are computed anew in tiles for each of
/// the T + 1 row updates. The dustbins are one more query and one more key of width D + 2. Returns
/// false where the range of float does not suffice; then the duals are not written. The same for
/// any number of threads. iterations: T >= 0. InternalError when shapes do not fit.
bool tiled_transport(const DescriptorTransport& problem, int iterations, int threads,
                     const TransportDuals<float>& duals, tensor::Arena& scratch);

}  // namespace asap::attention
