#pragma once

#include "base/random.h"
#include "region/network/relu_network.h"
#include "region/ridge/ridge_splines.h"

namespace asap::region {

/// The network of a sum of ridge splines without its linear term, each spline folded by its
/// curvature into a block of fold^depth regions.
ReluNetwork fold_ridges(const RidgeSum& sum, int depth, int fold, base::RandomStream& random);

/// The sum of networks of one input, block k at directions[k].x: the first layer reads the
/// directions, the hidden layers are block-diagonal, the output adds. UsageError when depths
/// differ.
ReluNetwork stack_blocks(const std::vector<ReluNetwork>& blocks,
                         const std::vector<std::vector<double>>& directions);

}  // namespace asap::region
