#pragma once

#include "numerics/curve.h"
#include "region/network/relu_network.h"

namespace asap::region {

/// The network that equals the given one on the interval, and whose end pieces go on beyond it: for
/// 64 lengths of the interval, or, where they are steep, as far as float64 keeps the size of the
/// function, but for one length at least.
///
/// Raw weights bend wherever a neuron happens to switch. Two more neurons of the first layer,
/// relu(low - x) and relu(x - high), stop all others at the ends, and one more neuron in every
/// later layer carries the two lines to the output. One input. Networks that go on already are
/// returned as they are.
ReluNetwork with_continued_ends(const ReluNetwork& network, numerics::Interval interval);

/// Whether the end pieces go on for one length of the interval, up to rounding.
bool ends_continue(const ReluNetwork& network, numerics::Interval interval);

}  // namespace asap::region
