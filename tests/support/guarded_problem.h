#pragma once

#include <algorithm>
#include <limits>
#include <numeric>

#include "attention/operators/guarded_operator.h"
#include "data/batch.h"
#include "evaluate/compare/method.h"

namespace asap::test {

/// The closure of a zero dual in every head of a network, under a guard of this limit each:
/// guards[layer][head].
inline std::unique_ptr<attention::GuardedOperator> guarded_closure(
    const infer::Encoder& encoder, std::vector<std::vector<attention::HeadGuard>> guards) {
  evaluate::CompiledHeads heads = evaluate::zero_dual_heads(encoder);
  for (auto& layer : heads)
    for (attention::CompiledHead& head : layer)
      head.teacher_iterations = encoder.config().attention.iterations;
  return std::make_unique<attention::GuardedOperator>(std::move(heads), std::move(guards));
}

inline std::unique_ptr<attention::GuardedOperator> guarded_everywhere(const infer::Encoder& encoder,
                                                                      double limit) {
  const attention::HeadGuard guard{.limit = limit};
  return guarded_closure(encoder, {{guard, guard}, {guard, guard}});
}

/// Keeps the bounds that the guards of a layer see.
class BoundProbe final : public attention::AttentionOperator {
 public:
  explicit BoundProbe(const attention::GuardedOperator& inner) : inner_(inner) {}

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override {
    std::vector<attention::ColumnCertificate> certificates(
        static_cast<std::size_t>(batch.examples * batch.heads));
    inner_.certify(layer, batch, output, scratch, certificates);
    if (layer == 0)
      for (const attention::ColumnCertificate& one : certificates)
        bounds_.push_back(one.column_error);
  }

  /// Of layer 0.
  std::vector<double>& bounds() const { return bounds_; }

 private:
  const attention::GuardedOperator& inner_;
  mutable std::vector<double> bounds_;
};

/// For networks of two layers and two heads: in layer 0 about half of the heads are left to the
/// teacher, in layer 1 the second head always, the first never.
inline std::unique_ptr<attention::GuardedOperator> half_guarded(const infer::Encoder& encoder,
                                                                const data::Dataset& dataset) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  const auto open = guarded_everywhere(encoder, kNever);
  const BoundProbe probe(*open);
  std::vector<std::int64_t> examples(static_cast<std::size_t>(dataset.size()));
  std::iota(examples.begin(), examples.end(), 0);
  data::Batch batch;
  batch.fill(dataset, examples);
  tensor::Tensor<float> logits({encoder.logit_rows(batch.input()), encoder.config().classes});
  tensor::Arena arena;
  encoder.forward(batch.input(), probe, logits.rows(), arena);
  std::vector<double>& bounds = probe.bounds();
  std::ranges::nth_element(bounds, bounds.begin() + std::ssize(bounds) / 2);
  const attention::HeadGuard half{.limit = bounds[bounds.size() / 2]};
  return guarded_closure(encoder, {{half, half}, {{.limit = kNever}, {.limit = 0}}});
}

}  // namespace asap::test
