#pragma once

#include <memory>

#include "compile/candidate.h"
#include "compile/dual_fit.h"
#include "compile/head_passes.h"

namespace asap::compile {

/// Heads of one operator, [layer][head].
using HeadsByLayer = std::vector<std::vector<attention::CompiledHead>>;

/// The statistics of every head of this rank on the examples of `range`, in the order of HeadPasses
/// and null for those of other ranks; DataError where a head has no live tokens. One pass.
std::vector<std::unique_ptr<StatisticsPass>> gather_statistics(HeadPasses& passes,
                                                               const ExampleRange& range,
                                                               attention::CompiledMode mode);

/// Fits the maps of `configs` to every head, all starts in one pass and the corrected iterations of
/// each in one more per iteration; every rank gets the heads of all. statistics: of the same
/// examples.
std::vector<HeadsByLayer> fit_maps(const std::vector<std::unique_ptr<StatisticsPass>>& statistics,
                                   const std::vector<CompileConfig>& configs,
                                   const ExampleRange& range, HeadPasses& passes);

/// The heads of all ranks, from those of this one. Column errors, which are measured last, are left
/// out.
std::vector<attention::CompiledHead> exchange_heads(const distributed::ItemShare& share,
                                                    std::vector<attention::CompiledHead> own);

/// The same map with only the first `corrections` of its corrected iterations: they are fitted one
/// after another, so that is what a fit of fewer would have given.
attention::CompiledHead with_corrections(attention::CompiledHead head, int corrections);

/// The numbers of iterations at which a loop of T is also cut: 1 to 5, then in growing steps to T.
std::vector<int> loop_lengths(int iterations);

}  // namespace asap::compile
