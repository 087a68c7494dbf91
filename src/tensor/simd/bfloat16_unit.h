#pragma once

namespace asap::tensor {

/// Products of bfloat16 that AVX-512 may come with, each better than those before.
enum class BFloat16Unit { none, dot_product, tiles };

/// The best one of this processor, operating system and binary that limit_instruction_set() does
/// not exclude. The first call asks the operating system for the tile registers, for the whole
/// process.
BFloat16Unit bfloat16_unit();

}  // namespace asap::tensor
