#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/safetensors.h"

namespace asap::compile {

/// Which tokens of one side of attention are live.
struct LiveRows {
  std::vector<std::vector<std::int32_t>> rows;  ///< [B] ascending token numbers; empty: all
  std::string name;                             ///< the tensor that says so; empty: none

  bool all() const { return rows.empty(); }
};

enum class TokenSide { queries, keys };

/// The live tokens of `side`, from the one tensor that says it:
///   mask, query_mask, key_mask           [B, N] of bool, integers or floats, 1 where a token is
///   live lengths, query_lengths, key_lengths  [B] integers: the first ones are live
/// also live_queries and live_keys, which are lengths. mask and lengths count for both sides.
/// DataError names the tensor and the place of a value that cannot be, and two tensors that say
/// the same; also when no example has a live token.
LiveRows read_live_rows(const io::TensorFile& file, TokenSide side, std::int64_t examples,
                        std::int64_t tokens);

}  // namespace asap::compile
