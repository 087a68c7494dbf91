#pragma once

#include "attention/tiled/tiled_head.h"

namespace asap::attention {

/// The slack row of a tiled head (see sinkhorn_attention.h) and what it adds to the column sums
/// before a column update. Without slack it adds nothing.
class SlackColumns {
 public:
  SlackColumns() = default;

  /// As Sinkhorn's loop updates it: its scaling follows from the column scalings before. For heads
  /// whose queries are not centred.
  static SlackColumns following(float slack, const TiledHead& tiled);
  /// As a compiled head updates it, together with the columns: column_update of open_plan.h. For
  /// heads whose queries are centred; `head` is that before tiling. Lives in `arena`.
  static SlackColumns closing(const AttentionHead<float>& head, const TiledHead& tiled,
                              tensor::Arena& arena);

  bool exists() const { return slack_ > 0; }

  /// sums_j = sum_i w_i K_ij / 2^exponent becomes what the column scaling v_j is the inverse of.
  /// v: the scalings behind w, [m].
  void add(float exponent, tensor::VectorView<const float> v, tensor::VectorView<float> sums,
           tensor::Arena& scratch) const;
  /// The same for sums that hold the factors v_j = 2^column_dual_j already. column_dual: [m].
  void add_scaled(float exponent, tensor::VectorView<const float> column_dual,
                  tensor::VectorView<float> sums, tensor::Arena& scratch) const;

 private:
  void add_entries(float exponent, float total, tensor::VectorView<const float> entries,
                   tensor::VectorView<float> sums, tensor::Arena& scratch) const;

  float slack_ = 0, mass_ = 0;  // c, c N
  bool closing_ = false;
  tensor::VectorView<const float> log_entries_{};  // base 2, of a closing row: [m]
};

}  // namespace asap::attention
