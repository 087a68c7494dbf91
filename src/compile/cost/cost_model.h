#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "compile/cost/operator_form.h"

namespace asap::compile {

/// A step of a form and what its time is proportional to: "call" (once a head), "tokens"
/// ((N + M) D), "entries" (of the Gibbs kernel, N M), "products" (multiply-adds), "spilled"
/// (entries that a cache of the size of the profile cannot keep), "tails" (rows that do not fill
/// their last vector), "rows" (N), "comparisons" (of a sort). For entries and products M counts as
/// a multiple of 16 and, in all forms but Sinkhorn's stored loop, N as one of 8: tiles are padded.
struct CostColumn {
  std::string_view step, quantity;
};

/// The columns of the model: time = sum over columns of coefficient x quantity.
///   softmax      softmax attention
///   loop         what Sinkhorn's loop does once: scores, first row update, product with the
///   values;
///                maps of short sequences on whole rows count in steps of the loop
///   iteration    one iteration of that loop
///   one_pass     a map without features of the scores or iterations
///   two_passes   any other map in tiles, without its corrected iterations
///   sweep        one corrected iteration
///   dual         what a map does with the sums of a pass over the scores: features, weights
///   slices       projections of a map; sorts: of the potentials; landmarks: the landmark dual
inline constexpr std::array<CostColumn, 43> kCostColumns = {{
    {"softmax", "call"},
    {"softmax", "entries"},
    {"softmax", "products"},
    {"loop", "call"},
    {"loop", "entries"},
    {"loop", "products"},
    {"loop", "spilled"},
    {"loop", "tails"},
    {"iteration", "call"},
    {"iteration", "entries"},
    {"iteration", "spilled"},
    {"one_pass", "call"},
    {"one_pass", "tokens"},
    {"one_pass", "entries"},
    {"one_pass", "products"},
    {"two_passes", "call"},
    {"two_passes", "tokens"},
    {"two_passes", "entries"},
    {"two_passes", "products"},
    {"two_passes", "spilled"},
    {"sweep", "call"},
    {"sweep", "entries"},
    {"sweep", "spilled"},
    {"slices", "call"},
    {"slices", "products"},
    {"sorts", "comparisons"},
    {"landmarks", "call"},
    {"landmarks", "products"},
    {"landmarks", "entries"},
    {"one_pass_bf16", "call"},
    {"one_pass_bf16", "tokens"},
    {"one_pass_bf16", "entries"},
    {"one_pass_bf16", "products"},
    {"two_passes_bf16", "call"},
    {"two_passes_bf16", "tokens"},
    {"two_passes_bf16", "entries"},
    {"two_passes_bf16", "products"},
    {"two_passes_bf16", "spilled"},
    {"sweep_bf16", "call"},
    {"sweep_bf16", "entries"},
    {"sweep_bf16", "spilled"},
    {"dual", "call"},
    {"dual", "rows"},
}};

/// One number per column.
using CostVector = std::array<double, kCostColumns.size()>;

/// The quantities of a form at this size. cache_bytes: what a core keeps of a Gibbs kernel between
/// passes. Kernels too large to be kept at all are recomputed: their iterations count as softmax
/// without values.
CostVector cost_quantities(const OperatorForm& form, const HeadShape& shape, double cache_bytes);

}  // namespace asap::compile
