#pragma once

#include <string>
#include <vector>

namespace asap::tensor {

/// The name of the instruction set that kernels are chosen for: Highway's ("AVX2", "AVX3", which is
/// AVX-512), or where AVX-512 comes with products of bfloat16 "AVX3_BF16" (its dot product) or
/// "AMX" (tile registers).
std::string instruction_set();

/// The names of all instruction sets that kernels could be chosen for here, in lower case, the best
/// first; avx3 is AVX-512.
std::vector<std::string> usable_instruction_sets();

/// Lets kernels be chosen as on a processor with nothing better than this instruction set, named as
/// above, in letters of any case. Call it before the first kernel runs: choices are final.
/// UsageError for an unknown name and for one that this processor or this binary lacks.
void limit_instruction_set(const std::string& given);

}  // namespace asap::tensor
