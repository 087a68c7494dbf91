#include "autodiff/shape_ops.h"

#include <algorithm>

namespace asap::autodiff {
namespace {

/// A tensor seen as [outer, a, middle, b, inner]; swapping a and b is five nested loops.
struct SwapPlan {
  std::int64_t outer = 1, a = 1, middle = 1, b = 1, inner = 1;

  SwapPlan(const tensor::Shape& shape, int first, int second) : a(shape[first]), b(shape[second]) {
    for (int i = 0; i < shape.rank(); ++i) {
      if (i < first) outer *= shape[i];
      if (i > first && i < second) middle *= shape[i];
      if (i > second) inner *= shape[i];
    }
  }
};

/// out[o, y, m, x, :] (+)= in[o, x, m, y, :]
template <class T>
void swap_copy(const SwapPlan& s, const T* in, T* out, bool accumulate) {
  for (std::int64_t o = 0; o < s.outer; ++o)
    for (std::int64_t x = 0; x < s.a; ++x)
      for (std::int64_t m = 0; m < s.middle; ++m)
        for (std::int64_t y = 0; y < s.b; ++y) {
          const T* from = in + (((o * s.a + x) * s.middle + m) * s.b + y) * s.inner;
          T* to = out + (((o * s.b + y) * s.middle + m) * s.a + x) * s.inner;
          for (std::int64_t i = 0; i < s.inner; ++i) to[i] = accumulate ? to[i] + from[i] : from[i];
        }
}

}  // namespace

template <class T>
Var<T> transpose(Var<T> x, int first, int second) {
  const tensor::TensorView<const T> in = x.value();
  const int rank = in.shape.rank();
  if (first < 0) first += rank;
  if (second < 0) second += rank;
  if (first > second) std::swap(first, second);
  base::check(0 <= first && first < second && second < rank, "transpose: no such dimensions");
  tensor::Shape shape;
  for (int i = 0; i < rank; ++i)
    shape.append(in.shape[i == first ? second : i == second ? first : i]);
  const tensor::TensorView<T> out = x.tape().allocate(shape);
  swap_copy(SwapPlan(in.shape, first, second), in.data, out.data, false);
  return x.tape().record(out, {x}, [=](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    swap_copy(SwapPlan(p.output().shape, first, second), p.output_gradient().data, slot.view.data,
              slot.accumulate);
  });
}

template <class T>
Var<T> split_heads(Var<T> x, std::int64_t heads) {
  const tensor::Shape shape = x.shape();
  base::check(shape.rank() == 3 && shape[2] % heads == 0, "split_heads: expected [B, N, H * D]");
  return transpose(reshape(x, {shape[0], shape[1], heads, shape[2] / heads}), 1, 2);
}

template <class T>
Var<T> merge_heads(Var<T> x) {
  const tensor::Shape shape = x.shape();
  base::check(shape.rank() == 4, "merge_heads: expected [B, H, N, D]");
  return reshape(transpose(x, 1, 2), {shape[0], shape[2], shape[1] * shape[3]});
}

#define ASAP_INSTANTIATE(T)                             \
  template Var<T> transpose<T>(Var<T>, int, int);       \
  template Var<T> split_heads<T>(Var<T>, std::int64_t); \
  template Var<T> merge_heads<T>(Var<T>);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::autodiff
