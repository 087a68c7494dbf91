#pragma once

#include "region/network/relu_network.h"

namespace asap::region {

/// The network changed where it has seen no rows: a neuron that is active on all rows but `spare`
/// stays active up to `reach` times the range of every input away from them, and a neuron that is
/// active on no more than `spare` is removed. With spare = 0 the function is the same on the rows;
/// beyond them its end pieces continue. rows: [n, inputs].
ReluNetwork continue_end_pieces(const ReluNetwork& network, tensor::MatrixView<const double> rows,
                                double reach = 10, std::int64_t spare = 0);

}  // namespace asap::region
