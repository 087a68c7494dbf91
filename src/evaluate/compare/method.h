#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attention/interface/attention_operator.h"
#include "attention/operators/compiled_operator.h"
#include "evaluate/compare/partial_operator.h"
#include "infer/encoder.h"

namespace asap::evaluate {

/// A way to compute the attention of a trained network.
enum class MethodKind {
  teacher,         ///< as trained
  softmax,         ///< the teacher's scores through softmax
  sinkhorn,        ///< "sinkhorn:K": the teacher cut to K iterations
  sinkhorn_equal,  ///< "sinkhorn:equal": stands for the K that equal_latency.h finds
  zero_dual,       ///< "f0": the closure of a zero dual, what compilation does without its map
  compiled,        ///< "compiled" or "compiled+K": with K warm-started iterations
  espformer,       ///< "espformer": sliced soft sort, as ESPFormer with its default temperatures
  guarded,         ///< "guarded": compiled, the teacher where the bound of errors is unusual
  teacher_log,     ///< "teacher_log": the teacher's Sinkhorn in the log domain, as published
  warm,            ///< "warm": the teacher's plans, by iterations of the map where that is near
};

struct Method {
  MethodKind kind = MethodKind::teacher;
  int iterations = 0;  ///< K
  /// "compiled@1", "sinkhorn:3@0-1": in these layers only, the teacher in the others.
  std::optional<LayerRange> layers = {};
  /// "softmax_bf16", "sinkhorn_bf16:K", "compiled_bf16": Gibbs kernel and products in bfloat16, if
  /// the processor has it. Without it, compiled layers have the precision that the operator says.
  bool bfloat16 = false;
  bool cascade = false;  ///< "compiled:cascade": the teacher runs uncertain examples: cascade.h

  /// Of guarded: the quantile of the operator's bounds beyond which a head is left to the teacher.
  double guard_quantile = 0.99;

  std::string name() const;
  bool has_guard() const { return kind == MethodKind::guarded || kind == MethodKind::warm; }
  bool is_compiled() const { return kind == MethodKind::compiled || has_guard(); }
  friend bool operator==(const Method&, const Method&) = default;
};

/// Reads names such as "sinkhorn:3". A name may end with the layers it stands for: "compiled@1",
/// "compiled@0-1", or "compiled@each", which is one method for each of the `layers` layers.
/// UsageError for an unknown or repeated one, for layers the network does not have, or when there
/// is none.
std::vector<Method> parse_methods(std::span<const std::string> names, int layers);

/// The methods with a cascade behind every compiled one in all layers that has none.
std::vector<Method> with_cascades(const std::vector<Method>& methods);

/// The methods that are compared by default.
std::vector<std::string> default_methods(bool with_compiled);

/// The same for an operator that imitates Sinkhorn with `iterations` iterations instead of the
/// network's own attention: the network as trained, the imitated attention and its imitation, in
/// each layer alone and in all.
std::vector<std::string> imitation_methods(int iterations);

/// Heads of a compiled operator, [layer][head].
using CompiledHeads = std::vector<std::vector<attention::CompiledHead>>;

/// Heads that predict nothing: the closure alone.
CompiledHeads zero_dual_heads(const infer::Encoder& encoder);

/// The attention of a method for this encoder; of a cascade, that of its first stage. `compiled`
/// may be null when the method needs no compiled operator; UsageError when it does.
std::unique_ptr<attention::AttentionOperator> make_attention(const Method& method,
                                                             const infer::Encoder& encoder,
                                                             const CompiledHeads* compiled);

}  // namespace asap::evaluate
