#include "autodiff/token_ops.h"

#include <algorithm>

#include "base/random.h"
#include "tensor/kernels/elementwise.h"

namespace asap::autodiff {
namespace {

template <class T>
tensor::VectorView<T> token(const tensor::TensorView<T>& x, std::int64_t example,
                            std::int64_t index) {
  const std::int64_t width = x.shape[2];
  return {x.data + (example * x.shape[1] + index) * width, static_cast<std::size_t>(width)};
}

template <class T>
void clear_unless_accumulating(const GradientSlot<T>& slot) {
  if (!slot.accumulate) std::fill_n(slot.view.data, slot.view.size(), T(0));
}

}  // namespace

template <class T>
Var<T> embedding(Var<T> table, std::span<const std::int32_t> indices) {
  const tensor::MatrixView<const T> rows = table.value().rows();
  const tensor::TensorView<T> out =
      table.tape().allocate({static_cast<std::int64_t>(indices.size()), rows.cols});
  for (std::size_t i = 0; i < indices.size(); ++i) {
    base::check(0 <= indices[i] && indices[i] < rows.rows, "embedding: index outside the table");
    std::ranges::copy(rows.row(indices[i]), out.rows().row(static_cast<std::int64_t>(i)).begin());
  }
  return table.tape().record(out, {table}, [indices](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    clear_unless_accumulating(slot);
    const tensor::MatrixView<const T> dy = p.output_gradient().rows();
    for (std::size_t i = 0; i < indices.size(); ++i)
      tensor::axpy<T>(T(1), dy.row(static_cast<std::int64_t>(i)), slot.view.rows().row(indices[i]));
  });
}

template <class T>
Var<T> mean_pool(Var<T> x, std::span<const std::int32_t> live) {
  const tensor::TensorView<const T> in = x.value();
  base::check(in.shape.rank() == 3, "mean_pool: expected [B, N, W]");
  const std::int64_t examples = in.shape[0], tokens = in.shape[1];
  const auto count = [=](std::int64_t b) { return live.empty() ? tokens : live[b]; };
  const tensor::TensorView<T> out = x.tape().allocate({examples, in.shape[2]});
  std::fill_n(out.data, out.size(), T(0));
  for (std::int64_t b = 0; b < examples; ++b)
    for (std::int64_t i = 0; i < count(b); ++i)
      tensor::axpy<T>(T(1) / static_cast<T>(count(b)), token(in, b, i), out.rows().row(b));
  return x.tape().record(out, {x}, [=](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    for (std::int64_t b = 0; b < examples; ++b)
      for (std::int64_t i = 0; i < tokens; ++i) {
        const T weight = i < count(b) ? T(1) / static_cast<T>(count(b)) : T(0);
        tensor::scale<T>(weight, p.output_gradient().rows().row(b), token(slot.view, b, i),
                         slot.accumulate);
      }
  });
}

template <class T>
Var<T> select_token(Var<T> x, std::int64_t index) {
  const tensor::TensorView<const T> in = x.value();
  base::check(in.shape.rank() == 3 && index < in.shape[1],
              "select_token: expected [B, N, W], index < N");
  const tensor::TensorView<T> out = x.tape().allocate({in.shape[0], in.shape[2]});
  for (std::int64_t b = 0; b < in.shape[0]; ++b)
    std::ranges::copy(token(in, b, index), out.rows().row(b).begin());
  return x.tape().record(out, {x}, [index](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    clear_unless_accumulating(slot);
    for (std::int64_t b = 0; b < slot.view.shape[0]; ++b)
      tensor::axpy<T>(T(1), p.output_gradient().rows().row(b), token(slot.view, b, index));
  });
}

template <class T>
Var<T> first_rows(Var<T> table, std::int64_t count) {
  const tensor::MatrixView<const T> rows = table.value().rows();
  base::check(count <= rows.rows, "first_rows: the table has fewer rows");
  if (count == rows.rows) return table;
  const tensor::TensorView<const T> out(rows.data, {count, rows.cols});
  return table.tape().record(out, {table}, [](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    clear_unless_accumulating(slot);
    const tensor::VectorView<const T> dy = p.output_gradient().flat();
    tensor::axpy<T>(T(1), dy, slot.view.flat().first(dy.size()));
  });
}

template <class T>
Var<T> prepend_token(Var<T> first, Var<T> x) {
  const tensor::TensorView<const T> in = x.value();
  base::check(in.shape.rank() == 3 && first.value().size() == in.shape[2],
              "prepend_token: expected [W] and [B, N, W]");
  const std::int64_t examples = in.shape[0], tokens = in.shape[1];
  const tensor::TensorView<T> out = x.tape().allocate({examples, tokens + 1, in.shape[2]});
  for (std::int64_t b = 0; b < examples; ++b) {
    std::ranges::copy(first.value().flat(), token(out, b, 0).begin());
    for (std::int64_t i = 0; i < tokens; ++i)
      std::ranges::copy(token(in, b, i), token(out, b, i + 1).begin());
  }
  return x.tape().record(out, {first, x}, [=](Pullback<T>& p) {
    const tensor::TensorView<const T> dy = p.output_gradient();
    if (p.wants(0)) {
      const GradientSlot<T> slot = p.slot(0);
      clear_unless_accumulating(slot);
      for (std::int64_t b = 0; b < examples; ++b)
        tensor::axpy<T>(T(1), token(dy, b, 0), slot.view.flat());
    }
    if (p.wants(1)) {
      const GradientSlot<T> slot = p.slot(1);
      for (std::int64_t b = 0; b < examples; ++b)
        for (std::int64_t i = 0; i < tokens; ++i)
          tensor::scale<T>(T(1), token(dy, b, i + 1), token(slot.view, b, i), slot.accumulate);
    }
  });
}

template <class T>
Var<T> add_to_last_tokens(Var<T> vector, Var<T> x, std::span<const std::int64_t> first) {
  const tensor::TensorView<const T> in = x.value();
  base::check(in.shape.rank() == 3 && vector.value().size() == in.shape[2] &&
                  std::ssize(first) == in.shape[0],
              "add_to_last_tokens: expected [W], [B, N, W] and [B]");
  const std::int64_t tokens = in.shape[1];
  const tensor::TensorView<T> out = x.tape().allocate(in.shape);
  std::ranges::copy(in.flat(), out.flat().begin());
  for (std::size_t b = 0; b < first.size(); ++b)
    for (std::int64_t i = first[b]; i < tokens; ++i)
      tensor::axpy<T>(T(1), vector.value().flat(), token(out, static_cast<std::int64_t>(b), i));
  return x.tape().record(out, {vector, x}, [=](Pullback<T>& p) {
    const tensor::TensorView<const T> dy = p.output_gradient();
    if (p.wants(0)) {
      const GradientSlot<T> slot = p.slot(0);
      clear_unless_accumulating(slot);
      for (std::size_t b = 0; b < first.size(); ++b)
        for (std::int64_t i = first[b]; i < tokens; ++i)
          tensor::axpy<T>(T(1), token(dy, static_cast<std::int64_t>(b), i), slot.view.flat());
    }
    if (p.wants(1)) {
      const GradientSlot<T> slot = p.slot(1);
      tensor::scale<T>(T(1), dy.flat(), slot.view.flat(), slot.accumulate);
    }
  });
}

template <class T>
Var<T> dropout(Var<T> x, double rate, const DropoutKey& key) {
  base::check(rate >= 0 && rate < 1, "dropout: rate must be in [0, 1)");
  base::check(key.op < DropoutKey::kMaxDropouts, "dropout: too many dropouts in one pass");
  if (rate == 0) return x;
  const tensor::TensorView<const T> in = x.value();
  const tensor::TensorView<T> out = x.tape().allocate(in.shape);
  const tensor::TensorView<T> factors = x.tape().allocate(in.shape);
  const std::int64_t examples = in.shape[0],
                     per_example = in.size() / std::max<std::int64_t>(examples, 1);
  const T keep = static_cast<T>(1 / (1 - rate));
  const double threshold = rate * 0x1.0p32;
  for (std::int64_t b = 0; b < examples; ++b) {
    base::RandomStream stream(key.seed, base::RandomPurpose::dropout,
                              key.step * DropoutKey::kMaxDropouts + key.op,
                              key.first_example + static_cast<std::uint32_t>(b));
    for (std::int64_t i = 0; i < per_example; ++i)
      factors.data[b * per_example + i] = stream.next() < threshold ? T(0) : keep;
  }
  tensor::multiply<T>(in.flat(), factors.flat(), out.flat());
  return x.tape().record(out, {x}, [factors](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    tensor::multiply<T>(p.output_gradient().flat(), factors.flat(), slot.view.flat(),
                        slot.accumulate);
  });
}

#define ASAP_INSTANTIATE(T)                                                             \
  template Var<T> embedding<T>(Var<T>, std::span<const std::int32_t>);                  \
  template Var<T> mean_pool<T>(Var<T>, std::span<const std::int32_t>);                  \
  template Var<T> select_token<T>(Var<T>, std::int64_t);                                \
  template Var<T> first_rows<T>(Var<T>, std::int64_t);                                  \
  template Var<T> prepend_token<T>(Var<T>, Var<T>);                                     \
  template Var<T> add_to_last_tokens<T>(Var<T>, Var<T>, std::span<const std::int64_t>); \
  template Var<T> dropout<T>(Var<T>, double, const DropoutKey&);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::autodiff
