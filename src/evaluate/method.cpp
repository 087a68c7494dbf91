#include "evaluate/method.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "base/text.h"

namespace asap {
namespace {

constexpr int kMostIterations = 10000;

const std::vector<std::string> kMethodNames = {
    "teacher",  "softmax",    "sinkhorn:K",    "f0",
    "compiled", "compiled+K", "compiled_bf16", "espformer"};

std::optional<int> parse_iterations(std::string_view digits) {
  int value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  if (!whole || value < 0 || value > kMostIterations) return std::nullopt;
  return value;
}

Method parse_method(const std::string& name) {
  if (name == "teacher") return {MethodKind::teacher};
  if (name == "softmax") return {MethodKind::softmax};
  if (name == "f0") return {MethodKind::zero_dual};
  if (name == "compiled") return {MethodKind::compiled};
  if (name == "espformer") return {MethodKind::espformer};
  if (name == "compiled_bf16") return {MethodKind::compiled_bfloat16};
  for (const auto& [prefix, kind] : {std::pair("sinkhorn:", MethodKind::sinkhorn),
                                     std::pair("compiled+", MethodKind::compiled)}) {
    if (!name.starts_with(prefix)) continue;
    const auto iterations =
        parse_iterations(std::string_view(name).substr(std::string(prefix).size()));
    if (!iterations)
      throw UsageError("--methods: '" + name + "' needs a whole number from 0 to " +
                           std::to_string(kMostIterations) + " after '" + prefix + "'",
                       std::string("for example ") + prefix + "3");
    return {kind, *iterations};
  }
  throw UsageError("--methods: unknown method '" + name + "'",
                   "known are " + join(kMethodNames, ", "));
}

}  // namespace

std::string Method::name() const {
  switch (kind) {
    case MethodKind::teacher:
      return "teacher";
    case MethodKind::softmax:
      return "softmax";
    case MethodKind::sinkhorn:
      return "sinkhorn:" + std::to_string(iterations);
    case MethodKind::espformer:
      return "espformer";
    case MethodKind::zero_dual:
      return "f0";
    case MethodKind::compiled:
      return iterations == 0 ? "compiled" : "compiled+" + std::to_string(iterations);
    case MethodKind::compiled_bfloat16:
      return "compiled_bf16";
  }
  throw InternalError("Method::name: unknown kind");
}

std::vector<Method> parse_methods(std::span<const std::string> names) {
  std::vector<Method> methods;
  for (const std::string& name : names) {
    const Method method = parse_method(name);
    if (std::find(methods.begin(), methods.end(), method) != methods.end())
      throw UsageError("--methods: '" + name + "' is named twice");
    methods.push_back(method);
  }
  if (methods.empty())
    throw UsageError("--methods: no method is named", "known are " + join(kMethodNames, ", "));
  return methods;
}

std::vector<std::string> default_methods(bool with_compiled) {
  std::vector<std::string> names = {"teacher", "softmax", "sinkhorn:1", "sinkhorn:3", "f0"};
  if (with_compiled) names.insert(names.end(), {"compiled", "compiled+1"});
  return names;
}

std::unique_ptr<AttentionOperator> make_attention(const Method& method, const Encoder& encoder,
                                                  const CompiledHeads* compiled) {
  switch (method.kind) {
    case MethodKind::teacher:
      return encoder.teacher();
    case MethodKind::softmax:
      return encoder.softmax();
    case MethodKind::sinkhorn:
      return encoder.sinkhorn(method.iterations);
    case MethodKind::espformer:
      return encoder.with_kernel(make_espformer_kernel<float>(0, {}));
    case MethodKind::zero_dual: {
      CompiledHeads heads;
      for (const std::vector<float>& layer : encoder.score_scales()) {
        auto& row = heads.emplace_back();
        for (const float scale : layer) row.push_back(CompiledHead::zero_dual(scale));
      }
      return std::make_unique<CompiledOperator>(std::move(heads));
    }
    case MethodKind::compiled:
    case MethodKind::compiled_bfloat16:
      if (!compiled)
        throw UsageError("--methods: '" + method.name() + "' needs --compiled",
                         "name the folder asap-compile wrote: --compiled OP");
      return std::make_unique<CompiledOperator>(*compiled, method.iterations,
                                                method.kind == MethodKind::compiled
                                                    ? ProductPrecision::single
                                                    : ProductPrecision::bfloat16);
  }
  throw InternalError("make_attention: unknown kind");
}

}  // namespace asap
