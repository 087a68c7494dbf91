#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include "base/text.h"
#include "c_api/each_head.h"
#include "c_api/guarded.h"
#include "compile/compile_report.h"

struct asap_operator {
  asap::compile::OperatorArtefact artefact;
};

namespace asap::c_api {
namespace {

constexpr int kMostSlices = 4096;
constexpr int kMostFitExamples = 1'000'000;
constexpr int kMostTeacherIterations = 10'000;

/// Live rows of all heads of an array side by side, those of an example first and zeros after them:
/// [examples * tokens, heads * columns].
tensor::Tensor<float> side_by_side(const PackedHeads<float>& heads, const asap_array& array,
                                   bool of_queries, std::int64_t tokens, std::int64_t columns) {
  tensor::Tensor<float> out({heads.examples() * tokens, heads.heads() * columns});
  tensor::Arena arena;
  for (std::int64_t b = 0; b < heads.examples(); ++b)
    for (std::int64_t h = 0; h < heads.heads(); ++h) {
      const tensor::ArenaScope scope(arena);
      const auto& live = of_queries ? heads.live_queries(b) : heads.live_keys(b);
      const tensor::MatrixView<const float> rows =
          heads.rows_of(head_array(array), b, h, live, columns, arena);
      for (std::int64_t i = 0; i < rows.rows; ++i)
        std::ranges::copy(rows.row(i), out.rows().row(b * tokens + i).begin() + h * columns);
    }
  return out;
}

compile::CompileConfig config_of(const asap_fit& fit) {
  compile::CompileConfig config;
  const auto take = [](int value, int most, const char* name, int& to) {
    require_range(value, 0, most, name);
    if (value > 0) to = value;
  };
  take(fit.iterations, kMostTeacherIterations, "iterations", config.activations.iterations);
  take(fit.slices, kMostSlices, "slices", config.slices);
  take(fit.calibration, kMostFitExamples, "calibration", config.calibration);
  take(fit.held_out, kMostFitExamples, "held_out", config.held_out);
  if (!std::isfinite(fit.epsilon) || fit.epsilon < 0)
    throw base::UsageError("epsilon must be 0 or positive and finite");
  if (fit.epsilon > 0) config.activations.epsilon = fit.epsilon;
  if (fit.features) config.features = base::split(fit.features, ',');
  config.validate("fit");
  return config;
}

compile::LayerActivations layer_activations(const asap_attention& attention,
                                            const PackedHeads<float>& heads, double epsilon) {
  compile::LayerActivations layer;
  layer.queries =
      side_by_side(heads, attention.queries, true, attention.query_tokens, attention.width);
  layer.keys = side_by_side(heads, attention.keys, false, attention.key_tokens, attention.width);
  if (attention.values.data)
    layer.values =
        side_by_side(heads, attention.values, false, attention.key_tokens, attention.value_width);
  layer.score_scales.assign(static_cast<std::size_t>(attention.heads),
                            1 / (std::sqrt(static_cast<double>(attention.width)) * epsilon));
  return layer;
}

struct LiveCounts {
  std::vector<std::int32_t> queries, keys;  // [examples]

  friend bool operator==(const LiveCounts&, const LiveCounts&) = default;
};

LiveCounts live_counts(const PackedHeads<float>& heads, std::int64_t examples) {
  LiveCounts counts;
  for (std::int64_t b = 0; b < examples; ++b) {
    counts.queries.push_back(static_cast<std::int32_t>(heads.live_queries(b).size()));
    counts.keys.push_back(static_cast<std::int32_t>(heads.live_keys(b).size()));
  }
  return counts;
}

/// UsageError unless the layers can be those of one operator.
void require_alike(std::span<const asap_attention> layers) {
  const auto sizes = [](const asap_attention& layer) {
    return std::array{layer.examples, layer.heads, layer.query_tokens, layer.key_tokens,
                      layer.width};
  };
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].query_tokens == 0 || layers[i].key_tokens == 0)
      throw base::UsageError("there are no queries or no keys to fit an operator on");
    if (sizes(layers[i]) != sizes(layers[0]))
      throw base::UsageError("attention: layer " + std::to_string(i) +
                             " has other examples, heads, tokens or width than layer 0");
    if ((layers[i].values.data == nullptr) != (layers[0].values.data == nullptr))
      throw base::UsageError("attention: some layers have values, others do not");
  }
}

compile::Activations activations_of(std::span<const asap_attention> layers,
                                    const compile::CompileConfig& config) {
  require_alike(layers);
  compile::Activations activations;
  activations.examples = layers[0].examples;
  activations.heads = layers[0].heads;
  activations.iterations = config.activations.iterations;
  activations.source = "arrays";
  LiveCounts live;
  bool some_queries = false, some_keys = false;  // of the tokens are live, not all
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const asap_attention& layer = layers[i];
    const PackedHeads<float> heads(head_arrays(layer), layer.values.data != nullptr);
    activations.layers.push_back(layer_activations(layer, heads, config.activations.epsilon));
    LiveCounts own = live_counts(heads, layer.examples);
    if (i > 0 && own != live)
      throw base::UsageError("attention: layer " + std::to_string(i) +
                             " has other numbers of live tokens than layer 0");
    live = std::move(own);
    some_queries = some_queries || layer.query_lengths || layer.query_mask;
    some_keys = some_keys || layer.key_lengths || layer.key_mask;
  }
  if (some_queries) activations.live_queries = std::move(live.queries);
  if (some_keys) activations.live_keys = std::move(live.keys);
  return activations;
}

asap_operator* fit_operator(std::span<const asap_attention> layers, const asap_fit& fit) {
  const compile::CompileConfig config = config_of(fit);
  const compile::ResidentActivations source(activations_of(layers, config));
  const compile::CompiledModel model = compile::compile_heads(source, config, threads());
  return new asap_operator{compile::make_artefact(model, source.teacher())};
}

void apply(const asap_operator& compiled, std::int64_t layer, const asap_attention& attention,
           const asap_result& output) {
  const auto& all = compiled.artefact.heads;
  require_range(layer, 0, std::ssize(all) - 1, "layer");
  const auto& layer_heads = all[static_cast<std::size_t>(layer)];
  if (attention.heads != std::ssize(layer_heads) || attention.width != compiled.artefact.head_width)
    throw base::UsageError("the operator has " + std::to_string(layer_heads.size()) +
                           " heads of width " + std::to_string(compiled.artefact.head_width) +
                           ", not " + std::to_string(attention.heads) + " of width " +
                           std::to_string(attention.width));
  const PackedHeads<float> heads(head_arrays(attention), true);
  std::vector<std::unique_ptr<attention::CompiledOperator>> operators;
  for (const attention::CompiledHead& head : layer_heads)
    operators.push_back(std::make_unique<attention::CompiledOperator>(
        std::vector<std::vector<attention::CompiledHead>>{{head}}));
  // The operator knows the scale of its scores.
  write_attention(heads, 1.0f, head_array(output),
                  [&](std::int64_t index, const attention::AttentionHead<float>& head,
                      tensor::MatrixView<float> out, tensor::Arena& arena) {
                    operators[static_cast<std::size_t>(index)]->apply(
                        0, {head.queries, head.keys, head.values, 1, 1}, out, arena);
                  });
}

}  // namespace
}  // namespace asap::c_api

using namespace asap::c_api;

extern "C" {

asap_status asap_operator_fit(const asap_attention* attention, const asap_fit* fit,
                              asap_operator** compiled, asap_error* error) {
  return guarded(error, [&] {
    require(attention, "attention");
    require(fit, "fit");
    require(compiled, "compiled");
    *compiled = fit_operator({attention, 1}, *fit);
  });
}

asap_status asap_operator_fit_layers(const asap_attention* attention, int64_t layers,
                                     const asap_fit* fit, asap_operator** compiled,
                                     asap_error* error) {
  return guarded(error, [&] {
    require(attention, "attention");
    require(fit, "fit");
    require(compiled, "compiled");
    require_range(layers, 1, 65536, "layers");
    *compiled = fit_operator({attention, static_cast<std::size_t>(layers)}, *fit);
  });
}

asap_status asap_operator_load(const char* folder, asap_operator** compiled, asap_error* error) {
  return guarded(error, [&] {
    require(folder, "folder");
    require(compiled, "compiled");
    *compiled = new asap_operator{asap::compile::load_operator(folder)};
  });
}

asap_status asap_operator_save(const asap_operator* compiled, const char* folder,
                               asap_error* error) {
  return guarded(error, [&] {
    require(compiled, "compiled");
    require(folder, "folder");
    asap::compile::save_operator(folder, compiled->artefact);
  });
}

void asap_operator_free(asap_operator* compiled) { delete compiled; }

int64_t asap_operator_layers(const asap_operator* compiled) {
  return compiled ? std::ssize(compiled->artefact.heads) : 0;
}

asap_status asap_operator_apply(const asap_operator* compiled, int64_t layer,
                                const asap_attention* attention, const asap_result* output,
                                asap_error* error) {
  return guarded(error, [&] {
    require(compiled, "compiled");
    require(attention, "attention");
    require(output, "output");
    apply(*compiled, layer, *attention, *output);
  });
}
}
