#include "distributed/ordered_sum.h"

#include <algorithm>

#include "base/parallel.h"
#include "tensor/kernels/elementwise.h"

namespace asap::distributed {
namespace {

constexpr std::size_t kSumBlock =
    1 << 12;  // values a thread adds at a time; they fit the level-1 cache

}  // namespace

void add_in_order(std::span<const tensor::VectorView<float>> gradients, const Segment& segment,
                  bool fresh, tensor::VectorView<float> sum, int threads) {
  const std::size_t blocks = (segment.length + kSumBlock - 1) / kSumBlock;
  base::parallel_for(static_cast<std::int64_t>(blocks), threads, [&](std::int64_t block, int) {
    const std::size_t offset = static_cast<std::size_t>(block) * kSumBlock;
    const std::size_t length = std::min(kSumBlock, segment.length - offset);
    const tensor::VectorView<float> out = sum.subspan(offset, length);
    bool first = fresh;
    for (const tensor::VectorView<float>& gradient : gradients) {
      const tensor::VectorView<float> part = gradient.subspan(segment.begin + offset, length);
      if (!first)
        tensor::axpy<float>(1, part, out);
      else if (part.data() != out.data())
        std::ranges::copy(part, out.begin());
      first = false;
    }
  });
}

}  // namespace asap::distributed
