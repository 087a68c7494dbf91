#include "evaluate/study/plan_gallery.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "data/batch.h"
#include "evaluate/compare/method_family.h"
#include "evaluate/study/shown_input.h"

namespace asap::evaluate {
namespace {

constexpr std::int64_t kReadable = 64;  // tokens of a text that readers can still take in
constexpr int kDisagreements = 2;       // examples on which compiled and teacher differ

/// A method that is shown, with the attention that makes its plans.
struct ShownMethod {
  const MethodResult* result;  // null: the teacher
  std::string name;
  std::unique_ptr<attention::AttentionOperator> attention;
};

/// Computes what the teacher computes and keeps the plans of every method.
class PlanRecorder final : public attention::AttentionOperator {
 public:
  PlanRecorder(const std::vector<ShownMethod>& methods, ShownExample& example)
      : methods_(methods), example_(example) {}

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override {
    methods_[0].attention->apply(layer, batch, output, scratch);
    const tensor::ArenaScope scope(scratch);
    const std::int64_t m = batch.key_tokens();
    const tensor::MatrixView<float> plans =
        scratch.matrix<float>(batch.query_tokens(), batch.heads * m);
    for (std::size_t method = 0; method < methods_.size(); ++method) {
      methods_[method].attention->plans(layer, batch, plans, scratch);
      for (std::int64_t head = 0; head < batch.heads; ++head)
        example_.plans[method].push_back(coarser_plan(
            plans.block(0, head * m, batch.live_query_count(0), batch.live_key_count(0)),
            example_.cell));
    }
  }

 private:
  const std::vector<ShownMethod>& methods_;
  ShownExample& example_;
};

const MethodResult* first_compiled(const Comparison& comparison) {
  if (const MethodResult* found = comparison.find("compiled")) return found;
  const auto other = std::ranges::find_if(comparison.methods, [](const MethodResult& method) {
    return family_of(method.name) == Family::compiled && method.in_all_layers();
  });
  return other == comparison.methods.end() ? nullptr : &*other;
}

/// The truncation to show; null when there is none.
const MethodResult* truncation_of(const Comparison& comparison) {
  const int index = shown_truncation(comparison.methods);
  return index < 0 ? nullptr : &comparison.methods[static_cast<std::size_t>(index)];
}

/// Tokens that attention sees of an example.
std::int64_t attended_tokens(const config::ModelConfig& config, const data::Dataset& dataset,
                             std::int64_t example) {
  if (config.kind == config::ModelKind::vit) return config.tokens();
  return dataset.tokens(example) + (config.has_class_token() ? 1 : 0);
}

/// What a method predicts for an example: a class, or how many tokens it gets right.
std::string prediction_text(const data::Dataset& dataset, std::span<const std::int32_t> predictions,
                            std::int64_t example) {
  const std::int64_t first = dataset.first_label(example);
  if (!dataset.labels_tokens)
    return dataset.class_names[static_cast<std::size_t>(predictions[first])];
  int right = 0, scored = 0;
  for (std::int64_t i = 0; i < dataset.label_count(example); ++i) {
    if (dataset.labels[first + i] == data::kNotScored) continue;
    ++scored;
    right += predictions[first + i] == dataset.labels[first + i];
  }
  return std::to_string(right) + " of " + std::to_string(scored) + " tokens correct";
}

bool differs(const data::Dataset& dataset, const MethodResult& method, const Comparison& comparison,
             std::int64_t example) {
  const std::int64_t first = dataset.first_label(example);
  for (std::int64_t i = first; i < first + dataset.label_count(example); ++i)
    if (method.predictions[i] != comparison.teacher_predictions[i]) return true;
  return false;
}

/// Methods in all layers, the teacher first; only the most telling three when `few`.
std::vector<ShownMethod> shown_methods(const infer::Encoder& encoder, const CompiledHeads* compiled,
                                       const Comparison& comparison, bool few) {
  std::vector<ShownMethod> shown;
  shown.push_back({nullptr, "teacher", encoder.teacher()});
  const MethodResult* telling[] = {first_compiled(comparison), truncation_of(comparison)};
  for (const MethodResult& method : comparison.methods) {
    const bool wanted = !few || std::ranges::find(telling, &method) != std::end(telling);
    if (method.name == "teacher" || !method.in_all_layers() || !wanted) continue;
    if (!method.has_own_plans()) continue;
    const std::vector<std::string> name = {method.name};
    shown.push_back(
        {&method, method.name,
         make_attention(parse_methods(name, encoder.config().layers)[0], encoder, compiled)});
  }
  return shown;
}

/// Runs one example, whose index and cells are known, through the network.
void record_plans(const infer::Encoder& encoder, const data::Dataset& dataset,
                  const std::vector<ShownMethod>& methods, ShownExample& example,
                  tensor::Arena& arena) {
  example.plans.resize(methods.size());
  data::Batch batch;
  batch.fill(dataset, std::span(&example.index, 1));
  tensor::Tensor<float> logits({encoder.logit_rows(batch.input()), encoder.config().classes});
  encoder.forward(batch.input(), PlanRecorder(methods, example), logits.rows(), arena);
}

/// The smallest cells with which `planes` plans of `tokens` tokens have at most `most` entries.
int cell_size(std::int64_t tokens, std::int64_t planes, std::int64_t most) {
  int cell = 1;
  for (;; ++cell) {
    const std::int64_t side = (tokens + cell - 1) / cell;
    if (side * side * planes <= most || side <= 8) return cell;
  }
}

}  // namespace

int shown_truncation(const std::vector<MethodResult>& methods) {
  int best = -1, most = -1;
  for (std::size_t i = 0; i < methods.size(); ++i) {
    const std::string& name = methods[i].name;
    if (family_of(name) != Family::truncated || !methods[i].in_all_layers()) continue;
    if (methods[i].equal_latency) return static_cast<int>(i);
    const int iterations = std::atoi(name.c_str() + name.find(':') + 1);
    if (iterations > most) {
      most = iterations;
      best = static_cast<int>(i);
    }
  }
  return best;
}

std::vector<std::int64_t> choose_examples(const data::Dataset& dataset,
                                          const Comparison& comparison, int count) {
  std::vector<std::int64_t> chosen;
  const auto add = [&](std::int64_t example) {
    if (std::ssize(chosen) < count && std::ranges::find(chosen, example) == chosen.end())
      chosen.push_back(example);
  };
  const auto readable = [&](std::int64_t example) {
    if (!dataset.labels_tokens && dataset.labels[example] == data::kNotScored) return false;
    const std::int64_t tokens = dataset.tokens(example);
    return dataset.kind == data::ExampleKind::images || (tokens > 1 && tokens <= kReadable);
  };
  std::vector<std::int64_t> disagreements;
  if (const MethodResult* compiled = first_compiled(comparison))
    for (std::int64_t i = 0; i < dataset.size() && std::ssize(disagreements) < kDisagreements; ++i)
      if (readable(i) && differs(dataset, *compiled, comparison, i)) disagreements.push_back(i);
  const std::int64_t ordinary = std::max<std::int64_t>(count - std::ssize(disagreements), 1);
  std::vector<bool> seen(dataset.class_names.size());
  for (std::int64_t i = 0; i < dataset.size() && std::ssize(chosen) < ordinary; ++i) {
    const std::int32_t label = dataset.labels_tokens ? 0 : dataset.labels[i];
    if (!readable(i) || (!dataset.labels_tokens && seen[static_cast<std::size_t>(label)])) continue;
    if (!dataset.labels_tokens) seen[static_cast<std::size_t>(label)] = true;
    add(i);
  }
  for (const std::int64_t example : disagreements) add(example);
  // Too few classes or only long examples: the first ones.
  for (std::int64_t i = 0; i < dataset.size() && std::ssize(chosen) < ordinary; ++i)
    if ((dataset.kind == data::ExampleKind::images || dataset.tokens(i) > 0) &&
        (dataset.labels_tokens || dataset.labels[i] != data::kNotScored))
      add(i);
  return chosen;
}

tensor::Tensor<float> coarser_plan(tensor::MatrixView<const float> plan, int cell) {
  const auto cells = [&](std::int64_t size) { return (size + cell - 1) / cell; };
  tensor::Tensor<float> out({cells(plan.rows), cells(plan.cols)});
  for (std::int64_t r = 0; r < out.rows().rows; ++r)
    for (std::int64_t c = 0; c < out.rows().cols; ++c) {
      double total = 0;
      const std::int64_t last_row = std::min((r + 1) * cell, plan.rows);
      const std::int64_t last_column = std::min((c + 1) * cell, plan.cols);
      for (std::int64_t i = r * cell; i < last_row; ++i)
        for (std::int64_t j = c * cell; j < last_column; ++j) total += plan(i, j);
      out.rows()(r, c) = static_cast<float>(
          total / static_cast<double>((last_row - r * cell) * (last_column - c * cell)));
    }
  return out;
}

PlanGallery collect_plans(const infer::Encoder& encoder, const CompiledHeads* compiled,
                          const data::Dataset& dataset, const Comparison& comparison,
                          const GallerySettings& settings) {
  const config::ModelConfig& config = encoder.config();
  PlanGallery gallery;
  gallery.layers = config.layers;
  gallery.heads = config.heads;
  const std::vector<std::int64_t> chosen = choose_examples(dataset, comparison, settings.examples);
  std::int64_t longest = 1;
  for (const std::int64_t example : chosen)
    longest = std::max(longest, attended_tokens(config, dataset, example));
  const std::int64_t heads = std::int64_t{config.layers} * config.heads;
  const std::int64_t cost = std::ssize(chosen) * heads * longest * longest;
  const bool few = cost * (std::ssize(comparison.methods) + 1) > settings.cells;
  const std::vector<ShownMethod> methods = shown_methods(encoder, compiled, comparison, few);
  const std::int64_t planes = heads * std::ssize(methods);
  for (const ShownMethod& method : methods) gallery.methods.push_back(method.name);
  const auto index_of = [&](const MethodResult* result) -> std::size_t {
    const auto found = std::ranges::find(methods, result, &ShownMethod::result);
    return result == nullptr || found == methods.end()
               ? 0
               : static_cast<std::size_t>(found - methods.begin());
  };
  gallery.truncated = index_of(truncation_of(comparison));
  gallery.compiled = index_of(first_compiled(comparison));

  // Long examples: fewer of them before coarser ones.
  const std::int64_t affordable =
      settings.cells / std::max<std::int64_t>(planes * longest * longest, 1);
  const std::int64_t count = std::clamp<std::int64_t>(
      affordable, std::min<std::int64_t>(2, std::ssize(chosen)), std::ssize(chosen));
  tensor::Arena arena;
  for (std::int64_t k = 0; k < count; ++k) {
    const std::int64_t index = chosen[static_cast<std::size_t>(k)];
    ShownExample& example = gallery.examples.emplace_back();
    example.index = index;
    example.tokens = attended_tokens(config, dataset, index);
    example.cell = cell_size(example.tokens, planes, settings.cells / count);
    record_plans(encoder, dataset, methods, example, arena);
    example.input = show_input(dataset, config, index);
    if (!dataset.labels_tokens)
      example.truth = dataset.class_names[static_cast<std::size_t>(dataset.labels[index])];
    for (const ShownMethod& method : methods)
      example.predictions.push_back(prediction_text(
          dataset, method.result ? method.result->predictions : comparison.teacher_predictions,
          index));
  }
  return gallery;
}

}  // namespace asap::evaluate
