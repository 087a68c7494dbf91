#pragma once

#include <array>
#include <string_view>

#include "compile/cost/cost_model.h"

namespace asap::compile {

/// A profile as it comes with the toolkit.
struct ShippedProfile {
  std::string_view instruction_set;
  double cache_bytes;
  CostVector nanoseconds;  ///< in the order of kCostColumns
};

/// Measured on one core of a virtual Sapphire Rapids processor by
/// `asap-eval bench --profile --simd NAME` for avx3, avx2 and scalar.
inline constexpr std::array<ShippedProfile, 3> kShippedProfiles = {{
    {"AVX3", 2097152, {{371.1,    0.2149,  0.01035, 427.4,  0.3414, 0.01068, 0,      0,      45.61,
                        0.04947,  0.1976,  737.2,   0.5223, 0.2732, 0.01014, 725.4,  0.4133, 0.3635,
                        0.009717, 0.3246,  231,     0.1112, 0.1015, 373.9,   0.0256, 0.4962, 590.2,
                        0.01665,  0.06747, 807.3,   0.5779, 0.1996, 0.01825, 780.8,  0.3665, 0.3271,
                        0.01447,  0.1723,  216.5,   0.1149, 0.04695}}},
    {"AVX2", 2097152, {{423.5,   0.3115, 0.01726, 462.4,  0.6324, 0.01673, 0,       0,      41.79,
                        0.07252, 0.1428, 710.8,   0.6122, 0.3521, 0.01828, 674.6,   0.4079, 0.449,
                        0.01681, 0.2805, 215.1,   0.1124, 0.1466, 282.4,   0.03597, 0.5914, 316.8,
                        0.02297, 0.1429, 0,       0,      0,      0,       0,       0,      0,
                        0,       0,      0,       0,      0}}},
    {"SCALAR", 2097152, {{314.8,  9.033,  0.154, 40.38, 12.52, 0.1681, 0,      0,      8.191,
                          0.4179, 0,      311.3, 0,     9.104, 0.1596, 179.3,  0.3389, 8.417,
                          0.1607, 3.871,  280.2, 0.428, 0,     448.9,  0.1286, 0.7452, 171.3,
                          0.1348, 0.5588, 0,     0,     0,     0,      0,      0,      0,
                          0,      0,      0,     0,     0}}},
}};

}  // namespace asap::compile
