#include "train/gradient_sum.h"

#include <algorithm>

#include "base/parallel.h"
#include "tensor/kernels/elementwise.h"

namespace asap::train {
namespace {

constexpr std::int64_t kSumBlock =
    1 << 12;  // values a thread adds at a time; they fit the level-1 cache

}  // namespace

void sum_gradients(std::span<tensor::Tensor<float>* const> gradients, int threads) {
  const tensor::VectorView<float> sum = gradients.front()->flat();
  const auto size = static_cast<std::int64_t>(sum.size());
  const std::int64_t blocks = (size + kSumBlock - 1) / kSumBlock;
  base::parallel_for(blocks, threads, [&](std::int64_t block, int) {
    const auto begin = static_cast<std::size_t>(block * kSumBlock);
    const auto length = std::min(static_cast<std::size_t>(kSumBlock), sum.size() - begin);
    for (const tensor::Tensor<float>* gradient : gradients.subspan(1))
      tensor::axpy<float>(1, gradient->flat().subspan(begin, length), sum.subspan(begin, length));
  });
}

}  // namespace asap::train
