#include "evaluate/compare/guard.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "data/batch.h"
#include "evaluate/compare/partial_operator.h"

namespace asap::evaluate {
namespace {

constexpr std::int64_t kGuardShard = 16;  // examples that one thread takes at a time

/// Two plans that are both this near to doubly stochastic, and so to the one fixed point of the
/// iterations, differ by few times as much. A teacher beyond it is met by its own loop only.
constexpr float kConverged = 1e-4F;

using Rule = attention::HeadGuard::Rule;

attention::HeadGuard guard_of(const Method& method, const attention::CompiledHead& head) {
  const attention::ColumnErrors& errors = head.column_errors;
  if (method.kind == MethodKind::guarded)
    return {Rule::bounded, errors.bound_quantile(method.guard_quantile), errors.largest_start};
  if (head.predicts() && errors.teacher <= kConverged) return {Rule::warm, errors.teacher};
  return {.rule = Rule::loop};
}

bool has_what_it_needs(const Method& method, const attention::CompiledHead& head) {
  return method.kind == MethodKind::guarded ? !head.column_errors.bounds.empty()
                                            : head.column_errors.measured();
}

/// Counts what the guards of one thread's examples do.
class GuardProbe final : public attention::AttentionOperator {
 public:
  explicit GuardProbe(const attention::GuardedOperator& guarded) : guarded_(guarded) {}

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override {
    std::vector<attention::ColumnCertificate> certificates(
        static_cast<std::size_t>(batch.examples * batch.heads));
    guarded_.certify(layer, batch, output, scratch, certificates);
    for (const attention::ColumnCertificate& certificate : certificates) {
      ++counts_.heads;
      counts_.iterated += certificate.iterations > 0;
      counts_.iterations += certificate.iterations;
    }
  }

  const GuardCounts& counts() const { return counts_; }

 private:
  const attention::GuardedOperator& guarded_;
  mutable GuardCounts counts_;
};

GuardCounts count_batch(const Method& method, const infer::Encoder& encoder,
                        const attention::GuardedOperator& guarded, const data::Batch& batch,
                        tensor::Arena& arena) {
  auto probe = std::make_unique<GuardProbe>(guarded);
  const GuardProbe& seen = *probe;
  std::unique_ptr<attention::AttentionOperator> attention = std::move(probe);
  if (method.layers)
    attention =
        std::make_unique<PartialOperator>(std::move(attention), encoder.teacher(), *method.layers);
  tensor::Tensor<float> logits({encoder.logit_rows(batch.input()), encoder.config().classes});
  encoder.forward(batch.input(), *attention, logits.rows(), arena);
  return seen.counts();
}

}  // namespace

std::unique_ptr<attention::GuardedOperator> make_guarded(const Method& method,
                                                         const CompiledHeads* heads) {
  if (!heads)
    throw base::UsageError("`methods`: '" + method.name() + "' needs a compiled operator",
                           "pass the folder that asap-compile wrote: `compiled` DIR");
  std::vector<std::vector<attention::HeadGuard>> guards;
  for (const auto& layer : *heads) {
    auto& row = guards.emplace_back();
    for (const attention::CompiledHead& head : layer) {
      if (head.slack > 0)
        throw base::UsageError("`methods`: '" + method.name() +
                                   "' needs column errors, and attention with slack has none: its "
                                   "columns may sum to less than their bound",
                               "compiled+1 iterates in every head, compiled:cascade lets the "
                               "teacher run doubtful examples again");
      if (!has_what_it_needs(method, head))
        throw base::UsageError("`methods`: '" + method.name() +
                                   "' needs column errors, which this compiled operator lacks",
                               "compile it again with this version of asap-compile, in mode "
                               "row_dual: key biases have none");
      row.push_back(guard_of(method, head));
    }
  }
  return std::make_unique<attention::GuardedOperator>(*heads, std::move(guards));
}

GuardCounts count_guarded(const Method& method, const infer::Encoder& encoder,
                          const CompiledHeads& heads, const data::Dataset& dataset,
                          const distributed::Workers& workers, std::vector<tensor::Arena>& arenas) {
  const std::unique_ptr<attention::GuardedOperator> guarded = make_guarded(method, &heads);
  const std::vector<std::int64_t> order = data::length_order(dataset);
  const std::int64_t shards = (dataset.size() + kGuardShard - 1) / kGuardShard;
  const distributed::ItemShare share(*workers.ranks, shards);
  std::vector<GuardCounts> parts(static_cast<std::size_t>(share.own()));
  base::parallel_for(share.own(), workers.threads, [&](std::int64_t place, int worker) {
    const std::int64_t index = share.item(place);
    const std::int64_t first = index * kGuardShard,
                       count = std::min(kGuardShard, dataset.size() - first);
    data::Batch batch;
    batch.fill(dataset, std::span(order).subspan(static_cast<std::size_t>(first),
                                                 static_cast<std::size_t>(count)));
    parts[static_cast<std::size_t>(place)] =
        count_batch(method, encoder, *guarded, batch, arenas[static_cast<std::size_t>(worker)]);
  });
  GuardCounts all;
  for (const auto& layer : guarded->guards())
    for (const attention::HeadGuard& guard : layer) {
      ++all.network_heads;
      all.loops += guard.rule == Rule::loop;
    }
  for (const GuardCounts& part : share.exchange_values<GuardCounts>(parts)) {
    all.heads += part.heads;
    all.iterated += part.iterated;
    all.iterations += part.iterations;
  }
  return all;
}

}  // namespace asap::evaluate
