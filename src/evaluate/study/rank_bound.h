#pragma once

#include <span>
#include <vector>

#include "tensor/core/view.h"

namespace asap::evaluate {

/// How fast attention alone (no residual connections, feed-forward parts or layer norms) makes
/// tokens equal. One layer is X' = sum_h P_h X V_h + 1 bᵀ, with the plan P_h of the scores
/// c_h (X W_Q,h + b_Q) (X W_K,h + b_K)ᵀ and V_h = W_V,h W_O,h. Let d be the largest distance of two
/// tokens. If rows of P_h sum to 1 and its entries are exp(score + row term + column term), then
/// the logarithms of two rows differ by score differences alone, which span at most
/// c_h |W_Q,h W_K,hᵀ| d², so that the rows' total variation is at most tanh of a quarter of that:
///
///   d' <= d sum_h |V_h| tanh(c_h |W_Q,h W_K,hᵀ| d² / 4) <= kappa d³,
///   kappa = sum_h |V_h| c_h |W_Q,h W_K,hᵀ| / 4, in spectral norms.
///
/// So after L layers d <= kappa^((3^L - 1)/2) d0^(3^L): doubly exponential once kappa d0² < 1, as
/// Dong, Cordonnier and Loukas (2021) show for softmax in another norm. The condition holds for
/// softmax, for Sinkhorn after any number of iterations and for the compiled operator alike.
struct HeadNorms {
  double value = 0;  ///< |V_h|
  double score = 0;  ///< c_h |W_Q,h W_K,hᵀ|
};

/// What the theorem of the paper needs of one head, in its norms: |W|_1 is the largest column sum
/// of absolute values, and |W|_(1,inf) = sqrt(|W|_1 |Wᵀ|_1).
struct CompositeNorms {
  double value = 0;  ///< |V_h|_(1,inf)
  double score = 0;  ///< c_h |W_Q,h W_K,hᵀ|_1
};

/// Upper bound of the largest singular value, at most 4 % above it for up to 100 columns:
/// (trace (AᵀA)^64)^(1/128). a: [rows, cols].
double spectral_bound(tensor::MatrixView<const double> a);

/// sqrt(|A|_1 |A|_inf) with the largest sums of absolute values over columns and rows.
double composite_norm(tensor::MatrixView<const double> a);

/// The largest distance of two rows. tokens: [n, W].
double diameter(tensor::MatrixView<const float> tokens);

/// Norms of every head of a layer. qkv: [3 W, W] and output: [W, W] multiply from the right,
/// transposed; scales: c_h, [H].
std::vector<HeadNorms> head_norms(tensor::MatrixView<const float> qkv,
                                  tensor::MatrixView<const float> output,
                                  std::span<const float> scales);
std::vector<CompositeNorms> composite_norms(tensor::MatrixView<const float> qkv,
                                            tensor::MatrixView<const float> output,
                                            std::span<const float> scales);

/// The bound of d after a layer from d before it.
double next_diameter(std::span<const HeadNorms> heads, double before);

/// kappa of a layer; kappa d² < 1 makes the bound shrink.
double collapse_factor(std::span<const HeadNorms> heads);

/// 4 beta H |X - 1 x̄ᵀ|²_(1,inf) with beta the largest score * value of all heads of all layers: the
/// base of the paper's theorem as first stated, |X_L - 1 x̄ᵀ| <= base^((3^L - 1)/2) |X_0 - 1 x̄ᵀ|. A
/// later version has a factor gamma besides, which its proof needs. Above 1 it bounds nothing.
double theorem_base(std::span<const std::vector<CompositeNorms>> layers,
                    tensor::MatrixView<const float> tokens);

}  // namespace asap::evaluate
