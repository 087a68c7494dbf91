#include "train/divergence.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/format.h"
#include "data/batch.h"
#include "infer/encoder.h"
#include "tensor/kernels/gemm.h"
#include "train/checkpoint.h"

namespace asap::train {
namespace {

bool all_finite(tensor::MatrixView<const float> values) {
  for (std::int64_t i = 0; i < values.rows; ++i)
    for (const float value : values.row(i))
      if (!std::isfinite(value)) return false;
  return true;
}

/// Smallest and largest score of one head.
struct ScoreRange {
  std::string head;  ///< "layer 1, head 0"
  float low = std::numeric_limits<float>::infinity();
  float high = -std::numeric_limits<float>::infinity();
  bool finite = true;

  void add(tensor::MatrixView<const float> scores) {
    for (std::int64_t i = 0; i < scores.rows; ++i)
      for (const float score : scores.row(i)) {
        low = std::min(low, score);
        high = std::max(high, score);
        finite = finite && std::isfinite(score);
      }
  }
  double width() const { return static_cast<double>(high) - static_cast<double>(low); }
  std::string text() const {
    return "from " + base::format_significant(low) + " to " + base::format_significant(high);
  }
};

/// The attention of a network that also inspects its inputs. For one thread.
class AttentionProbe final : public attention::AttentionOperator {
 public:
  explicit AttentionProbe(const attention::KindOperator& attention) : attention_(attention) {}

  void apply(int layer, const attention::AttentionBatch<float>& batch,
             tensor::MatrixView<float> output, tensor::Arena& scratch) const override {
    for (std::int64_t head = 0; head < batch.heads && bad_.empty(); ++head)
      look_at_inputs(layer, head, batch, scratch);
    attention_.apply(layer, batch, output, scratch);
    for (std::int64_t head = 0; head < batch.heads && bad_.empty(); ++head)
      for (std::int64_t b = 0; b < batch.examples && bad_.empty(); ++b)
        if (!all_finite(batch.head_output(output, b, head)))
          bad_ = "the attention output of " + name(layer, head) + " is not finite";
  }

  /// The finding, or "".
  const std::string& bad() const { return bad_; }
  const ScoreRange& widest() const { return widest_; }

 private:
  static std::string name(int layer, std::int64_t head) {
    return "layer " + std::to_string(layer) + ", head " + std::to_string(head);
  }

  void look_at_inputs(int layer, std::int64_t head, const attention::AttentionBatch<float>& batch,
                      tensor::Arena& scratch) const {
    ScoreRange range{name(layer, head)};
    for (std::int64_t b = 0; b < batch.examples && bad_.empty(); ++b) {
      const tensor::ArenaScope scope(scratch);
      const tensor::MatrixView<const float> queries = batch.head_queries(b, head);
      const tensor::MatrixView<const float> keys = batch.head_keys(b, head);
      if (!all_finite(queries))
        bad_ = "the queries of " + range.head + " are not finite";
      else if (!all_finite(keys))
        bad_ = "the keys of " + range.head + " are not finite";
      else if (!all_finite(batch.head_values(b, head)))
        bad_ = "the values of " + range.head + " are not finite";
      const tensor::MatrixView<float> scores = scratch.matrix<float>(queries.rows, keys.rows);
      tensor::gemm<float>(tensor::Transpose::no, tensor::Transpose::yes,
                          attention_.scale(layer, head), queries, keys, 0.0f, scores);
      range.add(scores);
    }
    if (bad_.empty() && !range.finite) bad_ = "the scores of " + range.head + " are not finite";
    if (!bad_.empty() || range.width() > widest_.width()) widest_ = range;
  }

  const attention::KindOperator& attention_;
  mutable std::string bad_;
  mutable ScoreRange widest_;
};

/// Name of the first parameter from `first` on with a value that is not finite, or "".
template <class Iterator>
std::string bad_entry(Iterator first, Iterator end, tensor::VectorView<const float> flat) {
  for (; first != end; ++first) {
    const auto& entry = *first;
    const tensor::VectorView<const float> values = flat.subspan(
        static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.shape.size()));
    if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); }))
      return entry.name;
  }
  return "";
}

}  // namespace

std::string describe_divergence(const nn::Transformer<float>& model,
                                tensor::VectorView<const float> gradient, const data::Dataset& data,
                                std::span<const std::int64_t> indices) {
  const auto& entries = model.parameters().entries();
  const infer::Encoder encoder(model.config(), export_parameters(model.parameters()), "");
  const std::unique_ptr<attention::KindOperator> attention = encoder.teacher();
  const AttentionProbe probe(*attention);
  tensor::Arena arena;
  data::Batch batch;
  batch.fill(data, indices);
  const tensor::MatrixView<float> logits =
      arena.matrix<float>(encoder.logit_rows(batch.input()), model.config().classes);
  encoder.forward(batch.input(), probe, logits, arena);

  std::string what;
  if (const std::string name = bad_entry(entries.begin(), entries.end(), model.parameters().flat());
      !name.empty())
    what = "parameter '" + name + "' is not finite";
  else if (!probe.bad().empty())
    what = probe.bad();
  else if (!all_finite(logits))
    what = "the class scores are not finite";
  else if (const std::string last = bad_entry(entries.rbegin(), entries.rend(), gradient);
           !last.empty())  // gradients are computed from the loss back to the input
    what = "the gradient of '" + last + "' is not finite";
  else
    what = "the loss is not finite";
  const ScoreRange& range = probe.widest();
  if (range.head.empty()) return what;
  return what + "; the attention scores of " + range.head + " reach " + range.text();
}

}  // namespace asap::train
