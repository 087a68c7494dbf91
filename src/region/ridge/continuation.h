#pragma once

#include "region/network/relu_network.h"

namespace asap::region {

/// The network changed where it has seen no rows: a neuron that is active on all rows stays active
/// up to `reach` times the range of every input away from them, and a neuron that is active on none
/// is removed. On the rows the function is the same; beyond them its end pieces continue.
/// rows: [n, inputs].
ReluNetwork continue_end_pieces(const ReluNetwork& network, tensor::MatrixView<const double> rows,
                                double reach = 10);

}  // namespace asap::region
