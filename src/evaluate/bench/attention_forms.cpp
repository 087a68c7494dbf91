#include "evaluate/bench/attention_forms.h"

#include <algorithm>
#include <atomic>

#include "attention/kinds/espformer_attention.h"
#include "attention/stored/sinkhorn_attention.h"
#include "attention/stored/sinkhorn_log_domain.h"
#include "attention/stored/softmax_attention.h"
#include "attention/tiled/tiled_attention.h"
#include "base/parallel.h"
#include "base/text.h"

namespace asap::evaluate {
namespace {

/// Calls body(head, output, scratch), which returns whether the head left the exp domain, for every
/// head of the batch, heads spread over the threads.
template <class Body>
std::int64_t for_each_head(const FormCall& call, const Body& body) {
  const attention::AttentionBatch<float>& batch = call.batch;
  std::atomic<std::int64_t> left = 0;
  base::parallel_for(batch.examples * batch.heads, call.threads(),
                     [&](std::int64_t index, int worker) {
                       const std::int64_t example = index / batch.heads, head = index % batch.heads;
                       tensor::Arena& scratch = call.scratch[static_cast<std::size_t>(worker)];
                       const tensor::ArenaScope scope(scratch);
                       const bool log_domain =
                           body({batch.head_queries(example, head), batch.head_keys(example, head),
                                 batch.head_values(example, head), call.context.score_scale},
                                batch.head_output(call.output, example, head), scratch);
                       if (log_domain) ++left;
                     });
  return left;
}

using Head = attention::AttentionHead<float>;
using Output = tensor::MatrixView<float>;

std::int64_t run_softmax(const FormCall& call) {
  return for_each_head(call, [](const Head& head, Output output, tensor::Arena& scratch) {
    attention::softmax_attention<float>(head, output, scratch);
    return false;
  });
}

std::int64_t run_sinkhorn(const FormCall& call) {
  return for_each_head(call, [&](const Head& head, Output output, tensor::Arena& scratch) {
    return attention::sinkhorn_attention<float>(head, call.context.iterations, output, scratch)
        .log_domain;
  });
}

std::int64_t run_sinkhorn_log(const FormCall& call) {
  return for_each_head(call, [&](const Head& head, Output output, tensor::Arena& scratch) {
    attention::log_domain_sinkhorn_attention<float>(head, call.context.iterations, output, scratch);
    return true;
  });
}

/// Calls body(head, options, output, scratch) for every head. With at least as many heads as
/// threads, each head is computed by one thread; with fewer, the threads share the row blocks of a
/// head.
template <class Body>
std::int64_t for_each_tiled_head(const FormCall& call, attention::TiledOptions options,
                                 const Body& body) {
  const bool share_heads = call.batch.examples * call.batch.heads >= call.threads();
  FormCall inner = call;
  if (!share_heads) inner.scratch = call.scratch.first(1);
  options.threads = share_heads ? 1 : call.threads();
  return for_each_head(inner, [&](const Head& head, Output output, tensor::Arena& scratch) {
    return body(head, options, output, scratch).log_domain;
  });
}

std::int64_t run_softmax_tiled(const FormCall& call) {
  return for_each_tiled_head(call, {},
                             [](const Head& head, const attention::TiledOptions& options,
                                Output output, tensor::Arena& scratch) {
                               return attention::tiled_softmax_attention(head, options.threads,
                                                                         output, scratch);
                             });
}

template <attention::GibbsStorage storage,
          attention::ProductPrecision precision = attention::ProductPrecision::single>
std::int64_t run_sinkhorn_tiled(const FormCall& call) {
  return for_each_tiled_head(call, {.storage = storage, .precision = precision},
                             [&](const Head& head, const attention::TiledOptions& options,
                                 Output output, tensor::Arena& scratch) {
                               return attention::tiled_sinkhorn_attention(
                                   head, call.context.iterations, options, output, scratch);
                             });
}

std::int64_t run_compiled_head(const FormCall& call, const attention::CompiledHead& compiled,
                               const attention::TiledOptions& options) {
  const attention::DualMap<float> map = compiled.map();
  return for_each_tiled_head(call, options,
                             [&](const Head& head, const attention::TiledOptions& inner,
                                 Output output, tensor::Arena& scratch) {
                               return attention::tiled_compiled_attention(map, head, 0, inner,
                                                                          output, scratch);
                             });
}

template <attention::GibbsStorage storage,
          attention::ProductPrecision precision = attention::ProductPrecision::single>
std::int64_t run_compiled_tiled(const FormCall& call) {
  return run_compiled_head(call, call.context.compiled,
                           {.storage = storage, .precision = precision});
}

/// What CompiledOperator would choose.
attention::TiledOptions best_options(const FormCall& call, attention::ProductPrecision precision) {
  return {.storage = attention::best_storage(call.batch.query_tokens(), call.batch.key_tokens(),
                                             precision),
          .precision = precision};
}

template <attention::ProductPrecision precision>
std::int64_t run_compiled(const FormCall& call) {
  return run_compiled_head(call, call.context.compiled, best_options(call, precision));
}

std::int64_t run_compiled_no_sort(const FormCall& call) {
  return run_compiled_head(call, call.context.no_sort,
                           best_options(call, attention::ProductPrecision::single));
}

std::int64_t run_compiled_relaxed(const FormCall& call) {
  return run_compiled_head(call, call.context.relaxed,
                           best_options(call, attention::ProductPrecision::single));
}

std::int64_t run_compiled_corrected(const FormCall& call) {
  return run_compiled_head(call, call.context.corrected,
                           best_options(call, attention::ProductPrecision::single));
}

std::int64_t run_compiled_landmarks(const FormCall& call) {
  return run_compiled_head(call, call.context.landmarks,
                           best_options(call, attention::ProductPrecision::single));
}

template <attention::ProductPrecision precision>
std::int64_t run_compiled_no_lse(const FormCall& call) {
  return run_compiled_head(call, call.context.no_lse, best_options(call, precision));
}

template <attention::ProductPrecision precision>
std::int64_t run_compiled_one_pass(const FormCall& call) {
  return run_compiled_head(call, call.context.one_pass, best_options(call, precision));
}

std::int64_t run_espformer(const FormCall& call) {
  const attention::EspformerSettings settings;
  return for_each_head(call, [&](const Head& head, Output output, tensor::Arena& scratch) {
    attention::espformer_attention<float>(head, call.context.axes.rows(), settings, output,
                                          scratch);
    return false;
  });
}

/// Scores once, values once.
double attention_products(const HeadSize& size, const FormContext&) {
  return 2 * size.queries * size.keys * (size.width + size.value_width);
}

/// Per slice: values and tokens through the soft permutation of the keys, tokens through that of
/// the queries, values back.
double espformer_products(const HeadSize& size, const FormContext& context) {
  const double slices = static_cast<double>(context.axes.shape()[0]);
  const double tokens = size.width + 1, values = size.value_width;
  return 2 * slices *
         (size.keys * size.keys * (values + tokens) +
          size.queries * size.queries * (tokens + values));
}

/// Scores recomputed in each of `passes` passes over the Gibbs kernel, values once.
double recomputed_products(const HeadSize& size, double passes) {
  return 2 * size.queries * size.keys * (passes * size.width + size.value_width);
}

/// A Sinkhorn iteration is one pass; so is the first row update, and the last with the values.
double sinkhorn_tiled_products(const HeadSize& size, const FormContext& context) {
  return recomputed_products(size, context.iterations + 1);
}

double compiled_tiled_products(const HeadSize& size, const FormContext&) {
  return recomputed_products(size, 2);
}

template <attention::ProductPrecision precision>
double compiled_products(const HeadSize& size, const FormContext&) {
  const attention::GibbsStorage storage = attention::best_storage(
      static_cast<std::int64_t>(size.queries), static_cast<std::int64_t>(size.keys), precision);
  return recomputed_products(size, storage == attention::GibbsStorage::recompute ? 2 : 1);
}

constexpr AttentionForm kForms[] = {
    {"softmax", "softmax attention, fused: the floor", run_softmax_tiled, attention_products},
    {"softmax_stored", "softmax attention that keeps its plan, as in training", run_softmax,
     attention_products},
    {"sinkhorn_exp", "Sinkhorn in the exp domain, Gibbs kernel stored, as in training",
     run_sinkhorn, attention_products},
    {"sinkhorn_single", "the same in cache-sized row blocks",
     run_sinkhorn_tiled<attention::GibbsStorage::single>, attention_products},
    {"sinkhorn_gibbs_bf16", "the same with the Gibbs kernel in bfloat16",
     run_sinkhorn_tiled<attention::GibbsStorage::bfloat16>, attention_products, "sinkhorn_half"},
    {"sinkhorn_bf16", "the same, and values and plan entries multiplied in bfloat16",
     run_sinkhorn_tiled<attention::GibbsStorage::bfloat16, attention::ProductPrecision::bfloat16>,
     attention_products},
    {"sinkhorn_tiled", "Sinkhorn with scores recomputed, O(N D) memory",
     run_sinkhorn_tiled<attention::GibbsStorage::recompute>, sinkhorn_tiled_products},
    {"sinkhorn_log", "Sinkhorn in the log domain, as in the literature", run_sinkhorn_log,
     attention_products},
    {"compiled", "compiled operator: Gibbs kernel stored up to 64 MiB, recomputed beyond",
     run_compiled<attention::ProductPrecision::single>,
     compiled_products<attention::ProductPrecision::single>},
    {"compiled_no_sort", "compiled without the potentials, which sort", run_compiled_no_sort,
     compiled_products<attention::ProductPrecision::single>},
    {"compiled_relaxed", "the loop with three relaxed iterations", run_compiled_relaxed,
     compiled_products<attention::ProductPrecision::single>},
    {"compiled_corrected", "compiled with lse, lse0 and two corrected iterations",
     run_compiled_corrected, compiled_products<attention::ProductPrecision::single>},
    {"compiled_landmarks", "compiled with lse, lse0, 16 landmarks and one corrected iteration",
     run_compiled_landmarks, compiled_products<attention::ProductPrecision::single>},
    {"compiled_single", "compiled operator with the Gibbs kernel stored at any size",
     run_compiled_tiled<attention::GibbsStorage::single>, attention_products},
    {"compiled_gibbs_bf16", "the same with the Gibbs kernel in bfloat16",
     run_compiled_tiled<attention::GibbsStorage::bfloat16>, attention_products, "compiled_half"},
    {"compiled_tiled", "compiled operator with scores recomputed, O(N D) memory",
     run_compiled_tiled<attention::GibbsStorage::recompute>, compiled_tiled_products},
    {"compiled_bf16", "compiled with Gibbs kernel and products in bfloat16, stored up to 64 MiB",
     run_compiled<attention::ProductPrecision::bfloat16>,
     compiled_products<attention::ProductPrecision::bfloat16>},
    {"compiled_tiled_bf16", "the same with scores recomputed, O(N D) memory",
     run_compiled_tiled<attention::GibbsStorage::recompute, attention::ProductPrecision::bfloat16>,
     compiled_tiled_products},
    {"compiled_no_lse", "compiled without the feature lse: one pass, O(N D) memory",
     run_compiled_no_lse<attention::ProductPrecision::single>, attention_products},
    {"compiled_no_lse_bf16", "the same, values and plan entries multiplied in bfloat16",
     run_compiled_no_lse<attention::ProductPrecision::bfloat16>, attention_products},
    {"compiled_one_pass", "compiled with gau, lin and tilt: one pass without sorts",
     run_compiled_one_pass<attention::ProductPrecision::single>, attention_products},
    {"compiled_one_pass_bf16", "the same, values and plan entries multiplied in bfloat16",
     run_compiled_one_pass<attention::ProductPrecision::bfloat16>, attention_products},
    {"espformer", "sliced soft sort (ESPFormer)", run_espformer, espformer_products},
};

}  // namespace

std::span<const AttentionForm> attention_forms() { return kForms; }

std::vector<AttentionForm> select_forms(std::span<const std::string> names) {
  if (names.empty() || (names.size() == 1 && base::trim(names[0]) == "all"))
    return {std::begin(kForms), std::end(kForms)};
  std::vector<std::string> known;
  for (const AttentionForm& form : kForms) known.emplace_back(form.name);
  std::vector<AttentionForm> forms;
  for (const std::string& given : names) {
    const std::string name(base::trim(given));
    const auto is_called = [&](const AttentionForm& form) { return form.is_called(name); };
    const auto* const found = std::ranges::find_if(kForms, is_called);
    if (found == std::end(kForms))
      throw base::UsageError("`forms`: unknown form '" + name + "'", base::suggestion(name, known));
    if (std::ranges::any_of(forms, is_called))
      throw base::UsageError("`forms`: '" + name + "' is named twice", "name each form once");
    forms.push_back(*found);
  }
  return forms;
}

bool is_sinkhorn_form(const std::string& name) { return name.starts_with("sinkhorn"); }
bool is_compiled_form(const std::string& name) { return name.starts_with("compiled"); }

}  // namespace asap::evaluate
