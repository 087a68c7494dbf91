#include "compile/cost/cost_model.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "attention/tiled/stored_closure.h"
#include "attention/tiled/tile_layout.h"
#include "attention/tiled/tiled_attention.h"
#include "base/error.h"

namespace asap::compile {
namespace {

constexpr std::size_t column(std::string_view step, std::string_view quantity) {
  for (std::size_t c = 0; c < kCostColumns.size(); ++c)
    if (kCostColumns[c].step == step && kCostColumns[c].quantity == quantity) return c;
  return kCostColumns.size();
}

double padded(std::int64_t count, std::int64_t unit) {
  return static_cast<double>(attention::round_up(count, unit));
}

/// The quantities of one form, step by step.
class Quantities {
 public:
  Quantities(const HeadShape& shape, double cache_bytes, attention::ProductPrecision precision)
      : shape_(shape),
        bfloat16_(precision == attention::ProductPrecision::bfloat16),
        storage_(attention::best_storage(shape.queries, shape.keys, precision)),
        recomputes_(storage_ == attention::GibbsStorage::recompute) {
    n_ = static_cast<double>(shape.queries);
    m_ = static_cast<double>(shape.keys);
    d_ = static_cast<double>(shape.width);
    const double bytes = n_ * m_ * (bfloat16_ ? 2 : 4);
    spilled_ = recomputes_ ? 0 : n_ * m_ * std::max(0.0, 1 - cache_bytes / std::max(bytes, 1.0));
  }

  void add(std::string_view step, double call, double tokens, double entries, double products,
           double spilled) {
    put(step, "call", call);
    put(step, "tokens", tokens);
    put(step, "entries", entries);
    put(step, "products", products);
    put(step, "spilled", spilled);
  }
  void put(std::string_view step, std::string_view quantity, double value) {
    if (value == 0) return;
    const std::size_t c = column(step, quantity);
    base::check(c < out_.size(), "cost_quantities: no such column");
    out_[c] += value;
  }

  void softmax() { add("softmax", 1, 0, entries(), products(entries()), 0); }
  void loop(double iterations) {
    if (bfloat16_) return bfloat16_loop(iterations);
    stored_rows();
    const double entries = row_entries();
    if (recomputes_)
      recompute(iterations);
    else
      add("iteration", iterations, 0, iterations * entries, 0, iterations * spilled_);
  }
  /// The tiled loop: the passes of a map without features that iterates in place of corrections.
  void bfloat16_loop(double iterations) {
    add("two_passes_bf16", 1, (n_ + m_) * d_, entries(), products(entries()), spilled_);
    if (recomputes_)
      recompute(iterations);
    else
      add("sweep_bf16", iterations - 1, 0, (iterations - 1) * entries(), 0,
          (iterations - 1) * spilled_);
  }
  void map(const OperatorForm& form) {
    const attention::DualFeatures& features = form.features;
    if (storage_ == attention::GibbsStorage::rows && attention::fits_stored_rows(features))
      return features.start ? relaxed_loop(features.corrections) : map_on_rows(form);
    const std::string suffix = bfloat16_ ? "_bf16" : "";
    const bool one_pass = features.known_before_scores();
    add((one_pass ? "one_pass" : "two_passes") + suffix, 1, (n_ + m_) * d_, entries(),
        products(entries()), one_pass ? 0 : spilled_);
    const double corrections = features.corrections;
    if (!one_pass) {
      const double stages = corrections + (features.start ? 0 : 1);
      put("dual", "call", stages);
      put("dual", "rows", stages * n_);
    }
    if (recomputes_)
      recompute(corrections + (one_pass ? 0 : 1));
    else if (corrections > 0)
      add("sweep" + suffix, corrections, 0, corrections * entries(), 0, corrections * spilled_);
    this->features(form);
  }
  /// Softmax attention, whose operands are centred and packed as those of a map in one pass.
  void key_bias(const OperatorForm& form) {
    add(bfloat16_ ? "one_pass_bf16" : "one_pass", 1, (n_ + m_) * d_, entries(), products(entries()),
        0);
    features(form);
  }
  /// The loop's scores, shifts and product with the values, and sweeps for means of scores, first
  /// sums and the closure. A correction works on a dual of stored rows faster than on one of tiles,
  /// by about what its sweep takes.
  void map_on_rows(const OperatorForm& form) {
    constexpr double kSweeps = 3;
    const double stages = 1 + form.features.corrections;
    stored_rows();
    add("iteration", kSweeps, 0, kSweeps * row_entries(), 0, kSweeps * spilled_);
    put("dual", "call", stages);
    put("dual", "rows", stages * n_);
    features(form);
  }
  /// The stored loop, whose row updates also take two logarithms and powers of a row in passing.
  void relaxed_loop(double corrections) {
    constexpr double kPartOfDual = 0.25;
    loop(1 + corrections);
    put("dual", "rows", kPartOfDual * corrections * n_);
  }
  void features(const OperatorForm& form) {
    const attention::DualFeatures& features = form.features;
    const double slices = form.slices, landmarks = features.landmarks;
    if (features.uses_slices()) add("slices", 1, 0, 0, slices * (n_ + m_) * d_, 0);
    if (features.potential)
      put("sorts", "comparisons",
          slices * (n_ * std::log2(std::max(n_, 2.0)) + m_ * std::log2(std::max(m_, 2.0))));
    if (landmarks > 0)
      add("landmarks", 1, 0, n_ * landmarks * form.teacher_iterations, (n_ + m_) * d_ * landmarks,
          0);
  }

  const CostVector& result() const { return out_; }

 private:
  void stored_rows() {
    add("loop", 1, 0, row_entries(), products(row_entries()), spilled_);
    if (shape_.keys % attention::kTilePadding != 0) put("loop", "tails", n_);
  }
  double row_entries() const { return n_ * padded(shape_.keys, attention::kTilePadding); }
  /// Of tiles.
  double entries() const {
    return padded(shape_.queries, attention::kTileRows) *
           padded(shape_.keys, attention::kTilePadding);
  }
  double products(double entries) const {
    return entries * (d_ + static_cast<double>(shape_.value_width));
  }
  void recompute(double passes) {
    add("softmax", 0, 0, passes * entries(), passes * entries() * d_, 0);
  }

  HeadShape shape_;
  bool bfloat16_;
  attention::GibbsStorage storage_;
  bool recomputes_;
  double n_, m_, d_, spilled_;
  CostVector out_{};
};

}  // namespace

CostVector cost_quantities(const OperatorForm& form, const HeadShape& shape, double cache_bytes) {
  Quantities quantities(shape, cache_bytes, form.precision);
  switch (form.mode) {
    case attention::CompiledMode::sinkhorn:
      if (form.iterations == 0)
        quantities.softmax();
      else
        quantities.loop(form.iterations);
      break;
    case attention::CompiledMode::key_bias:
      quantities.key_bias(form);
      break;
    case attention::CompiledMode::row_dual:
      quantities.map(form);
      break;
  }
  return quantities.result();
}

}  // namespace asap::compile
