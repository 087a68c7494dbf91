#include "autodiff/matching_ops.h"

#include <algorithm>
#include <cmath>

#include "tensor/kernels/elementwise.h"
#include "tensor/kernels/row_ops.h"

namespace asap::autodiff {
namespace {

/// Writes or adds the columns of `from` that begin at `column`.
template <class T>
void put_columns(tensor::MatrixView<const T> from, std::int64_t column,
                 const GradientSlot<T>& slot) {
  const tensor::MatrixView<T> to = slot.view.rows();
  for (std::int64_t i = 0; i < to.rows; ++i)
    for (std::int64_t j = 0; j < to.cols; ++j)
      to(i, j) = (slot.accumulate ? to(i, j) : T(0)) + from(i, column + j);
}

template <class T>
attention::AttentionHead<T> head_between(tensor::MatrixView<const T> queries,
                                         tensor::MatrixView<const T> keys_values,
                                         std::int64_t heads, std::int64_t h) {
  const std::int64_t width = queries.cols, head_width = width / heads;
  const T scale = T(1) / std::sqrt(static_cast<T>(head_width));
  return {queries.block(0, h * head_width, queries.rows, head_width),
          keys_values.block(0, h * head_width, keys_values.rows, head_width),
          keys_values.block(0, width + h * head_width, keys_values.rows, head_width), scale};
}

/// log(1 / (1 + exp(-x)))
template <class T>
T log_sigmoid(T x) {
  return std::min(x, T(0)) - std::log1p(std::exp(-std::abs(x)));
}

template <class T>
T sigmoid(T x) {
  return std::exp(log_sigmoid(x));
}

/// log sum_i exp of every column. out: [cols]
template <class T>
void log_sum_exp_columns(tensor::MatrixView<const T> x, tensor::VectorView<T> out) {
  for (std::int64_t j = 0; j < x.cols; ++j) {
    T largest = x(0, j), sum = 0;
    for (std::int64_t i = 1; i < x.rows; ++i) largest = std::max(largest, x(i, j));
    for (std::int64_t i = 0; i < x.rows; ++i) sum += std::exp(x(i, j) - largest);
    out[j] = largest + std::log(sum);
  }
}

/// The factors of the loss's three means: of matches, rows and columns without partner.
struct LossWeights {
  double match = 0, row = 0, column = 0;
};

LossWeights loss_weights(const TruePartners& partners) {
  const auto mean_weight = [](double factor, std::ptrdiff_t count) {
    return factor / static_cast<double>(std::max<std::ptrdiff_t>(count, 1));
  };
  const auto is_match = [](std::int32_t partner) { return partner >= 0; };
  return {mean_weight(.5, std::ranges::count_if(partners.rows, is_match)),
          mean_weight(.25, std::ranges::count(partners.rows, -1)),
          mean_weight(.25, std::ranges::count(partners.columns, -1))};
}

/// Calls visit(i, j, weight) for every entry of the plan that the loss reads.
template <class Visit>
void for_each_loss_entry(const TruePartners& partners, const LossWeights& weights,
                         const Visit& visit) {
  const std::int64_t n = std::ssize(partners.rows), m = std::ssize(partners.columns);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int32_t partner = partners.rows[i];
    if (partner >= 0)
      visit(i, static_cast<std::int64_t>(partner), weights.match);
    else if (partner == -1)
      visit(i, m, weights.row);
  }
  for (std::int64_t j = 0; j < m; ++j)
    if (partners.columns[j] == -1) visit(n, j, weights.column);
}

}  // namespace

template <class T>
Var<T> concat_columns(Var<T> a, Var<T> b) {
  const tensor::MatrixView<const T> left = a.value().rows(), right = b.value().rows();
  base::check(left.rows == right.rows, "concat_columns: numbers of rows differ");
  const tensor::TensorView<T> out = a.tape().allocate({left.rows, left.cols + right.cols});
  for (std::int64_t i = 0; i < left.rows; ++i) {
    std::ranges::copy(left.row(i), out.rows().row(i).begin());
    std::ranges::copy(right.row(i), out.rows().row(i).begin() + left.cols);
  }
  return a.tape().record(out, {a, b}, [columns = left.cols](Pullback<T>& p) {
    if (p.wants(0)) put_columns<T>(p.output_gradient().rows(), 0, p.slot(0));
    if (p.wants(1)) put_columns<T>(p.output_gradient().rows(), columns, p.slot(1));
  });
}

template <class T>
Var<T> cross_attention(Var<T> queries, Var<T> keys_values, std::int64_t heads,
                       const attention::TrainableAttention<T>& kind,
                       attention::AttentionEvidence& evidence) {
  using State = typename attention::TrainableAttention<T>::State;
  const tensor::MatrixView<const T> q = queries.value().rows(), kv = keys_values.value().rows();
  base::check(kv.cols == 2 * q.cols && q.cols % heads == 0, "cross_attention: widths do not fit");
  Tape<T>& tape = queries.tape();
  const tensor::TensorView<T> out = tape.allocate({q.rows, q.cols});
  const std::int64_t head_width = q.cols / heads;
  State* states = tape.arena().template take<State>(heads);
  for (std::int64_t h = 0; h < heads; ++h)
    states[h] = kind.forward(head_between(q, kv, heads, h),
                             out.rows().block(0, h * head_width, q.rows, head_width), tape.arena(),
                             evidence);
  const attention::TrainableAttention<T>* kind_pointer = &kind;
  return tape.record(out, {queries, keys_values}, [=](Pullback<T>& p) {
    const GradientSlot<T> dq = p.slot(0), dkv = p.slot(1);
    base::check(!dq.accumulate && !dkv.accumulate,
                "cross_attention: a projection has another consumer");
    const tensor::MatrixView<const T> q = p.input(0).rows(), kv = p.input(1).rows();
    for (std::int64_t h = 0; h < heads; ++h) {
      const std::int64_t at = h * head_width;
      const attention::HeadGradients<T> gradients{
          dq.view.rows().block(0, at, q.rows, head_width),
          dkv.view.rows().block(0, at, kv.rows, head_width),
          dkv.view.rows().block(0, q.cols + at, kv.rows, head_width), false};
      kind_pointer->vjp(head_between(q, kv, heads, h), states[h],
                        p.output().rows().block(0, at, q.rows, head_width),
                        p.output_gradient().rows().block(0, at, q.rows, head_width), gradients,
                        p.arena());
    }
  });
}

template <class T>
Var<T> log_dual_softmax_plan(Var<T> scores, Var<T> row_logits, Var<T> column_logits) {
  const tensor::MatrixView<const T> s = scores.value().rows();
  const std::int64_t n = s.rows, m = s.cols;
  base::check(row_logits.value().size() == n && column_logits.value().size() == m,
              "log_dual_softmax_plan: one logit per row and column");
  Tape<T>& tape = scores.tape();
  const tensor::TensorView<T> out = tape.allocate({n + 1, m + 1});
  const tensor::VectorView<T> row_lse = tape.arena().template vector<T>(n);
  const tensor::VectorView<T> column_lse = tape.arena().template vector<T>(m);
  tensor::log_sum_exp_rows<T>(s, row_lse);
  log_sum_exp_columns<T>(s, column_lse);
  const tensor::VectorView<const T> u = row_logits.value().flat(), w = column_logits.value().flat();
  const tensor::MatrixView<T> plan = out.rows();
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < m; ++j)
      plan(i, j) = 2 * s(i, j) - row_lse[i] - column_lse[j] + log_sigmoid(u[i]) + log_sigmoid(w[j]);
    plan(i, m) = log_sigmoid(-u[i]);
  }
  for (std::int64_t j = 0; j < m; ++j) plan(n, j) = log_sigmoid(-w[j]);
  plan(n, m) = 0;

  return tape.record(out, {scores, row_logits, column_logits}, [=](Pullback<T>& p) {
    const tensor::MatrixView<const T> s = p.input(0).rows(), d = p.output_gradient().rows();
    const tensor::VectorView<T> row_sums = p.arena().template vector<T>(n);
    const tensor::VectorView<T> column_sums = p.arena().template vector<T>(m);
    const tensor::MatrixView<const T> inside = d.block(0, 0, n, m);
    tensor::column_sums<T>(inside, column_sums, false);
    for (std::int64_t i = 0; i < n; ++i) row_sums[i] = tensor::sum<T>(inside.row(i));
    if (p.wants(0)) {
      const GradientSlot<T> slot = p.slot(0);
      const tensor::MatrixView<T> ds = slot.view.rows();
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < m; ++j)
          ds(i, j) = (slot.accumulate ? ds(i, j) : T(0)) + 2 * d(i, j) -
                     std::exp(s(i, j) - row_lse[i]) * row_sums[i] -
                     std::exp(s(i, j) - column_lse[j]) * column_sums[j];
    }
    for (const int input : {1, 2}) {
      if (!p.wants(input)) continue;
      const GradientSlot<T> slot = p.slot(input);
      const tensor::VectorView<const T> logits = p.input(input).flat();
      for (std::size_t i = 0; i < logits.size(); ++i) {
        const auto index = static_cast<std::int64_t>(i);
        const T in_bin = input == 1 ? d(index, m) : d(n, index);
        const T matched = input == 1 ? row_sums[i] : column_sums[i];
        slot.view.data[i] = (slot.accumulate ? slot.view.data[i] : T(0)) +
                            matched * sigmoid(-logits[i]) - in_bin * sigmoid(logits[i]);
      }
    }
  });
}

template <class T>
Var<T> assignment_loss(Var<T> log_plan, const TruePartners& partners, T divisor) {
  const tensor::MatrixView<const T> plan = log_plan.value().rows();
  base::check(
      plan.rows == std::ssize(partners.rows) + 1 && plan.cols == std::ssize(partners.columns) + 1,
      "assignment_loss: one partner per row and column");
  Tape<T>& tape = log_plan.tape();
  const LossWeights weights = loss_weights(partners);
  const tensor::TensorView<T> out = tape.allocate({1});
  T total = 0;
  for_each_loss_entry(partners, weights, [&](std::int64_t i, std::int64_t j, double weight) {
    total -= static_cast<T>(weight) * plan(i, j);
  });
  out.data[0] = total / divisor;
  return tape.record(out, {log_plan}, [=](Pullback<T>& p) {
    const GradientSlot<T> slot = p.slot(0);
    const tensor::MatrixView<T> d = slot.view.rows();
    if (!slot.accumulate) std::ranges::fill(slot.view.flat(), T(0));
    const T factor = p.output_gradient().data[0] / divisor;
    for_each_loss_entry(partners, weights, [&](std::int64_t i, std::int64_t j, double weight) {
      d(i, j) -= static_cast<T>(weight) * factor;
    });
  });
}

#define ASAP_INSTANTIATE(T)                                                   \
  template Var<T> concat_columns<T>(Var<T>, Var<T>);                          \
  template Var<T> cross_attention<T>(Var<T>, Var<T>, std::int64_t,            \
                                     const attention::TrainableAttention<T>&, \
                                     attention::AttentionEvidence&);          \
  template Var<T> log_dual_softmax_plan<T>(Var<T>, Var<T>, Var<T>);           \
  template Var<T> assignment_loss<T>(Var<T>, const TruePartners&, T);
ASAP_INSTANTIATE(float)
ASAP_INSTANTIATE(double)
#undef ASAP_INSTANTIATE

}  // namespace asap::autodiff
