#pragma once

#include "attention/tiled/bfloat16_kernels.h"

namespace asap::attention {

/// The same kernels on the tile registers of AMX (Intel, from 2023 on), whose products of bfloat16
/// are sixteen times as fast as those of floats. What is left is exponentials. Inner widths that do
/// not fill tile registers take the kernels of AVX512_BF16.
///
/// May be used where tensor::bfloat16_unit() is `tiles`. Null when this build lacks them.
const BFloat16KernelSet* amx_kernels();

}  // namespace asap::attention
