#pragma once

#include <cstdint>
#include <vector>

#include "tensor/core/view.h"

namespace asap::transport {

/// Linear assignment: pairs every row with a column of its own (if there are more rows than
/// columns, every column with a row) so that the sum of `gains` over the pairs is largest. Shortest
/// augmenting paths with dual prices (Jonker and Volgenant 1987; Crouse 2016), O(min² max) time.
/// gains: [n, m], finite. Returns the column of each row, -1 for rows without one.
std::vector<std::int32_t> largest_assignment(tensor::MatrixView<const double> gains);

}  // namespace asap::transport
