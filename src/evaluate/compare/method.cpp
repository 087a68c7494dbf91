#include "evaluate/compare/method.h"

#include <algorithm>
#include <optional>

#include "attention/kinds/attention_kinds.h"
#include "base/error.h"
#include "base/text.h"
#include "evaluate/compare/guard.h"
#include "evaluate/compare/log_domain_teacher.h"

namespace asap::evaluate {
namespace {

constexpr int kMostIterations = 10000;

const std::vector<std::string> kMethodNames = {
    "teacher",  "softmax",    "sinkhorn:K",    "sinkhorn:equal",   "f0",
    "compiled", "compiled+K", "compiled_bf16", "sinkhorn_bf16:K",  "softmax_bf16",
    "guarded",  "warm",       "espformer",     "compiled:cascade", "teacher_log"};

constexpr std::string_view kCascade = ":cascade", kBFloat16 = "_bf16";

/// A whole number from 0 to `most`.
std::optional<int> parse_whole(std::string_view digits, int most) {
  const auto value = base::parse_number<int>(digits);
  return value && *value >= 0 && *value <= most ? value : std::nullopt;
}

bool has_bfloat16_form(const Method& method) {
  return method.kind == MethodKind::softmax || method.kind == MethodKind::sinkhorn ||
         method.kind == MethodKind::compiled;
}

Method parse_whole_network(const std::string& name);

/// "softmax_bf16", "sinkhorn_bf16:3", "compiled_bf16+1"; nothing for other names.
std::optional<Method> parse_bfloat16(const std::string& name) {
  const auto at = name.find(kBFloat16);
  if (at == std::string::npos) return std::nullopt;
  Method method = parse_whole_network(std::string(name).erase(at, kBFloat16.size()));
  method.bfloat16 = true;
  return has_bfloat16_form(method) && method.name() == name ? std::optional(method) : std::nullopt;
}

Method parse_whole_network(const std::string& name) {
  if (const auto method = parse_bfloat16(name)) return *method;
  if (name == "teacher") return {MethodKind::teacher};
  if (name == "teacher_log") return {MethodKind::teacher_log};
  if (name == "softmax") return {MethodKind::softmax};
  if (name == "f0") return {MethodKind::zero_dual};
  if (name == "compiled") return {MethodKind::compiled};
  if (name == "guarded") return {MethodKind::guarded};
  if (name == "warm") return {MethodKind::warm};
  if (name == "espformer") return {MethodKind::espformer};
  if (name == "sinkhorn:equal") return {MethodKind::sinkhorn_equal};
  for (const auto& [prefix, kind] : {std::pair("sinkhorn:", MethodKind::sinkhorn),
                                     std::pair("compiled+", MethodKind::compiled)}) {
    if (!name.starts_with(prefix)) continue;
    const auto iterations =
        parse_whole(std::string_view(name).substr(std::string(prefix).size()), kMostIterations);
    if (!iterations)
      throw base::UsageError("`methods`: '" + name + "' needs a whole number from 0 to " +
                                 std::to_string(kMostIterations) + " after '" + prefix + "'",
                             std::string("for example ") + prefix + "3");
    return {kind, *iterations};
  }
  const std::string nearest = base::nearest_name(name, kMethodNames);
  throw base::UsageError("`methods`: unknown method '" + name + "'",
                         (nearest.empty() ? "" : "did you mean '" + nearest + "'? ") +
                             ("known are " + base::join(kMethodNames, ", ")));
}

/// "1" or "0-2"
LayerRange parse_layers(const std::string& name, std::string_view text, int layers) {
  const auto dash = text.find('-');
  const auto first = parse_whole(text.substr(0, dash), layers - 1);
  const auto last =
      dash == std::string_view::npos ? first : parse_whole(text.substr(dash + 1), layers - 1);
  if (!first || !last || *first > *last)
    throw base::UsageError(
        "`methods`: '" + name + "' needs layers from 0 to " + std::to_string(layers - 1) +
            " after '@'",
        "for example compiled@0, compiled@0-" + std::to_string(layers - 1) + " or compiled@each");
  return {*first, *last};
}

/// What a name stands for: several methods when it ends with "@each".
std::vector<Method> parse_method(const std::string& name, int layers) {
  const auto at = name.find('@');
  std::string whole = name.substr(0, at);
  const bool cascade = whole.ends_with(kCascade);
  if (cascade) whole.resize(whole.size() - kCascade.size());
  Method method = parse_whole_network(whole);
  method.cascade = cascade;
  if (cascade && !method.is_compiled())
    throw base::UsageError("`methods`: '" + name + "': only compiled methods have a cascade",
                           "for example compiled:cascade");
  if (at == std::string::npos) return {method};
  if (method.kind == MethodKind::teacher)
    throw base::UsageError("`methods`: '" + name + "': the teacher is what the other layers run",
                           "name the method that replaces it, such as compiled@0");
  if (method.kind == MethodKind::sinkhorn_equal)
    throw base::UsageError("`methods`: '" + name + "': its latency is that of all layers",
                           "name sinkhorn:equal without layers, then sinkhorn:K@LAYER");
  const std::string_view where = std::string_view(name).substr(at + 1);
  std::vector<Method> methods;
  if (where == "each") {
    for (int layer = 0; layer < layers; ++layer) {
      method.layers = LayerRange{layer, layer};
      methods.push_back(method);
    }
  } else {
    method.layers = parse_layers(name, where, layers);
    methods.push_back(method);
  }
  return methods;
}

std::string layers_text(const std::optional<LayerRange>& layers) {
  if (!layers) return "";
  const std::string first = "@" + std::to_string(layers->first);
  return layers->first == layers->last ? first : first + "-" + std::to_string(layers->last);
}

/// The name without its layers.
std::string whole_network_name(MethodKind kind, int iterations) {
  switch (kind) {
    case MethodKind::teacher:
      return "teacher";
    case MethodKind::teacher_log:
      return "teacher_log";
    case MethodKind::softmax:
      return "softmax";
    case MethodKind::sinkhorn:
      return "sinkhorn:" + std::to_string(iterations);
    case MethodKind::sinkhorn_equal:
      return "sinkhorn:equal";
    case MethodKind::espformer:
      return "espformer";
    case MethodKind::zero_dual:
      return "f0";
    case MethodKind::compiled:
      return iterations == 0 ? "compiled" : "compiled+" + std::to_string(iterations);
    case MethodKind::guarded:
      return "guarded";
    case MethodKind::warm:
      return "warm";
  }
  throw base::InternalError("Method::name: unknown kind");
}

}  // namespace

std::string Method::name() const {
  std::string name = whole_network_name(kind, iterations);
  if (bfloat16) name.insert(std::min(name.find_first_of(":+"), name.size()), kBFloat16);
  return name + std::string(cascade ? kCascade : "") + layers_text(layers);
}

std::vector<Method> parse_methods(std::span<const std::string> names, int layers) {
  std::vector<Method> methods;
  for (const std::string& name : names)
    for (const Method& method : parse_method(std::string(base::trim(name)), layers)) {
      if (std::find(methods.begin(), methods.end(), method) != methods.end())
        throw base::UsageError("`methods`: '" + method.name() + "' is named twice");
      methods.push_back(method);
    }
  if (methods.empty())
    throw base::UsageError("`methods`: no method is named",
                           "known are " + base::join(kMethodNames, ", "));
  return methods;
}

std::vector<Method> with_cascades(const std::vector<Method>& methods) {
  std::vector<Method> all;
  for (const Method& method : methods) {
    all.push_back(method);
    Method cascade = method;
    cascade.cascade = true;
    if (method.is_compiled() && !method.layers &&
        std::ranges::find(methods, cascade) == methods.end())
      all.push_back(cascade);
  }
  return all;
}

std::vector<std::string> default_methods(bool with_compiled) {
  std::vector<std::string> names = {"teacher", "softmax", "sinkhorn:1", "sinkhorn:3", "f0"};
  if (with_compiled) names.insert(names.end(), {"compiled", "compiled+1"});
  return names;
}

std::vector<std::string> imitation_methods(int iterations) {
  const std::string imitated = "sinkhorn:" + std::to_string(iterations);
  return {"teacher", imitated + "@each", imitated, "f0", "compiled@each", "compiled"};
}

CompiledHeads zero_dual_heads(const infer::Encoder& encoder) {
  CompiledHeads heads;
  for (std::size_t layer = 0; layer < encoder.score_scales().size(); ++layer) {
    const std::vector<float>& scales = encoder.score_scales()[layer];
    auto& row = heads.emplace_back();
    for (std::size_t h = 0; h < scales.size(); ++h)
      row.push_back(attention::CompiledHead::zero_dual(
          scales[h], encoder.slacks().empty() ? 0.0f : encoder.slacks()[layer][h]));
  }
  return heads;
}

namespace {

/// Sinkhorn's loop with products in bfloat16; without iterations, softmax.
std::unique_ptr<attention::AttentionOperator> make_bfloat16_loop(const infer::Encoder& encoder,
                                                                 int iterations) {
  CompiledHeads heads = zero_dual_heads(encoder);
  for (auto& layer : heads)
    for (attention::CompiledHead& head : layer) {
      head.mode = attention::CompiledMode::sinkhorn;
      head.iterations = iterations;
      head.precision = attention::ProductPrecision::bfloat16;
    }
  return std::make_unique<attention::CompiledOperator>(std::move(heads));
}

std::unique_ptr<attention::AttentionOperator> make_log_domain_teacher(
    const infer::Encoder& encoder) {
  const config::AttentionConfig& teacher = encoder.config().attention;
  if (!teacher.has_sinkhorn_plan() || teacher.iterations < 1)
    throw base::UsageError(
        "`methods`: 'teacher_log' is for networks that were trained with Sinkhorn attention");
  return std::make_unique<LogDomainTeacher>(encoder.sinkhorn(teacher.iterations),
                                            teacher.iterations);
}

}  // namespace

std::unique_ptr<attention::AttentionOperator> make_attention(const Method& method,
                                                             const infer::Encoder& encoder,
                                                             const CompiledHeads* compiled) {
  if (method.layers) {
    Method everywhere = method;
    everywhere.layers.reset();
    return std::make_unique<PartialOperator>(make_attention(everywhere, encoder, compiled),
                                             encoder.teacher(), *method.layers);
  }
  switch (method.kind) {
    case MethodKind::teacher:
      return encoder.teacher();
    case MethodKind::teacher_log:
      return make_log_domain_teacher(encoder);
    case MethodKind::softmax:
    case MethodKind::sinkhorn:
      if (method.bfloat16) return make_bfloat16_loop(encoder, method.iterations);
      return method.kind == MethodKind::softmax ? encoder.softmax()
                                                : encoder.sinkhorn(method.iterations);
    case MethodKind::sinkhorn_equal:
      throw base::UsageError("`methods`: 'sinkhorn:equal' works only in asap-eval compare",
                             "its report names the sinkhorn:K that was found");
    case MethodKind::espformer:
      return encoder.with_kind(attention::make_espformer_attention<float>(0, {}));
    case MethodKind::zero_dual:
      return std::make_unique<attention::CompiledOperator>(zero_dual_heads(encoder));
    case MethodKind::compiled:
      if (!compiled)
        throw base::UsageError("`methods`: '" + method.name() + "' needs a compiled operator",
                               "pass the folder that asap-compile wrote: `compiled` DIR");
      return std::make_unique<attention::CompiledOperator>(
          *compiled, method.iterations,
          method.bfloat16 ? std::optional(attention::ProductPrecision::bfloat16) : std::nullopt);
    case MethodKind::guarded:
    case MethodKind::warm:
      return make_guarded(method, compiled);
  }
  throw base::InternalError("make_attention: unknown kind");
}

}  // namespace asap::evaluate
