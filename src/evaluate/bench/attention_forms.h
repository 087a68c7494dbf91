#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attention/interface/attention_batch.h"
#include "attention/operators/compiled_operator.h"

namespace asap::evaluate {

/// What the forms need besides queries, keys and values; the same for every head.
struct FormContext {
  float score_scale = 1;             ///< of the scores S = score_scale Q Kᵀ
  int iterations = 10;               ///< T of the Sinkhorn forms
  attention::CompiledHead compiled;  ///< fitted with pot, gau, lin, tilt and lse
  attention::CompiledHead no_sort;   ///< fitted without `pot`, the feature that sorts
  attention::CompiledHead
      no_lse;  ///< fitted without `lse`, the feature that needs log-sum-exp of the rows
  attention::CompiledHead relaxed;    ///< the loop with three relaxed iterations
  attention::CompiledHead corrected;  ///< fitted with lse, lse0 and two corrected iterations
  attention::CompiledHead
      landmarks;  ///< fitted with lse, lse0, 16 landmarks, one corrected iteration
  /// Fitted with gau, lin and tilt: what layers of long sequences mostly choose.
  attention::CompiledHead one_pass;
  tensor::Tensor<float> axes;  ///< slices of the sliced soft sort: [L, D]
};

/// One call of a form: all heads of a batch.
struct FormCall {
  const attention::AttentionBatch<float>& batch;
  tensor::MatrixView<float> output;  // [B * N, H * Dv]
  const FormContext& context;
  std::span<tensor::Arena> scratch;  ///< one for each thread; their number is the number of threads

  int threads() const { return static_cast<int>(scratch.size()); }
};

/// Sizes of one head that a count of operations needs.
struct HeadSize {
  double queries, keys, width, value_width;
};

/// One implementation of an operator, as benchmarks see it. To add one, write its function and add
/// a line to kForms in attention_forms.cpp.
struct AttentionForm {
  const char* name;
  const char* meaning;  ///< a few words for tables and help texts
  /// Computes all heads. Returns how many of them left the exp domain.
  std::int64_t (*run)(const FormCall& call);
  /// Operations in matrix products per head that the form needs; a multiply-add counts as two.
  double (*product_operations)(const HeadSize& size, const FormContext& context);
  const char* former_name = "";  ///< of earlier versions, still accepted and read; empty: none

  bool is_called(std::string_view given) const {
    return given == name || (!given.empty() && given == former_name);
  }
};

/// All forms, in the order of the reports.
std::span<const AttentionForm> attention_forms();

/// The forms of these names, present or former, in their order; all of them for an empty list or
/// "all". UsageError for a name that is unknown or named twice.
std::vector<AttentionForm> select_forms(std::span<const std::string> names);

/// Whether a form iterates Sinkhorn, or replaces the iterations by the compiled dual.
bool is_sinkhorn_form(const std::string& name);
bool is_compiled_form(const std::string& name);

}  // namespace asap::evaluate
