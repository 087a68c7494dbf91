#pragma once

namespace asap::test {

// The other side is PyTorch in float64. Sums of at most nine terms and polynomial approximations of
// exp and tanh good to a few units in the last place: 1e-14 leaves room for some forty roundings.
constexpr double kTolerance = 1e-14;

}  // namespace asap::test
