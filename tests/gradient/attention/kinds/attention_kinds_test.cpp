#include "attention/kinds/attention_kinds.h"

#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "attention/stored/sinkhorn_attention.h"
#include "autodiff/attention_ops.h"
#include "gradient/gradient_check.h"
#include "tensor/kernels/gemm.h"

using namespace asap::attention;
using namespace asap::autodiff;
using namespace asap::tensor;
using namespace asap::test;

namespace {

using Leaves = std::vector<Var<double>>;
using Attention = std::unique_ptr<TrainableAttention<double>>;

struct Kind {
  std::string name;
  Attention attention;
};

/// Every kind whose vjp is the gradient of what it computes.
std::vector<Kind> exact_kinds() {
  std::vector<Kind> kinds;
  const auto add = [&](std::string name, Attention attention) {
    kinds.push_back({std::move(name), std::move(attention)});
  };
  add("softmax", make_softmax_attention<double>());
  add("sinkhorn", make_sinkhorn_attention<double>(3));
  using asap::config::SlackKind;
  add("sinkhorn, fixed slack", make_sinkhorn_attention<double>(3, false, {SlackKind::fixed, 0.7}));
  add("sinkhorn, learned slack",
      make_sinkhorn_attention<double>(3, false, {SlackKind::learned, 1}));
  add("espformer", make_espformer_attention<double>(0, {4, 0.5}));
  add("espformer, two slices", make_espformer_attention<double>(2, {4, 0.5}));
  add("espformer, equal weights", make_espformer_attention<double>(0, {4, 0}));
  add("espformer, one slice", make_espformer_attention<double>(1, {4, 0.5}));
  add("lotformer", make_lotformer_attention<double>(3, 4));
  add("lotformer, one pivot", make_lotformer_attention<double>(1, 4));
  add("differential", make_differential_attention<double>());
  return kinds;
}

/// What the kind learns, for two heads of width 4; a tensor of another shape where it learns
/// nothing.
Tensor<double> learned_for(const TrainableAttention<double>& attention, std::int64_t heads) {
  const LearnedShape shape = attention.learned_shape(4);
  return random_tensor({heads, std::max<std::int64_t>(shape.rows, 1), shape.cols}, 3, 0.5);
}

AttentionInputs<double> inputs_of(const TrainableAttention<double>& attention, const Leaves& x) {
  AttentionInputs<double> inputs{x[0], x[1]};
  if (attention.learned_shape(4).rows > 0) inputs.learned = x[2];
  return inputs;
}

}  // namespace

TEST_CASE("every kind of attention has the gradient of what it computes") {
  const std::vector<std::int32_t> live = {5, 3}, one = {1, 2};
  for (const Kind& kind : exact_kinds()) {
    CAPTURE(kind.name);
    for (const auto& lengths : {std::vector<std::int32_t>{}, live, one}) {
      AttentionEvidence evidence;
      // By projections, epsilon and what is learned; the depth of the layer matters to one kind.
      CHECK(gradient_error(
                [&](Tape<double>&, const Leaves& x) {
                  return attention(inputs_of(*kind.attention, x), {2, lengths, 1}, *kind.attention,
                                   evidence);
                },
                {random_tensor({2, 5, 24}, 1), random_tensor({2}, 2, 0.3),
                 learned_for(*kind.attention, 2)}) < kGradientTolerance);
    }
  }
}

TEST_CASE("every kind's gradient is right for more keys than queries and for fewer, and adds up") {
  for (const Kind& kind : exact_kinds()) {
    CAPTURE(kind.name);
    for (const auto& size : std::vector<std::pair<int, int>>{{4, 6}, {6, 4}, {1, 3}, {3, 1}}) {
      const auto n = size.first;
      const auto m = size.second;
      CAPTURE(n);
      CAPTURE(m);
      const Tensor<double> learned = learned_for(*kind.attention, 1);
      std::vector<Tensor<double>> x = {random_tensor({n, 4}, 1), random_tensor({m, 4}, 2),
                                       random_tensor({m, 3}, 3),
                                       Tensor<double>({learned.shape()[1], learned.shape()[2]})};
      std::ranges::copy(learned.flat(), x[3].flat().begin());
      const Tensor<double> d_output = random_tensor({n, 3}, 4);
      const auto head = [&] {
        return AttentionHead<double>{x[0].rows(), x[1].rows(), x[2].rows(), 0.7, x[3].rows(), 2};
      };
      Arena scratch;
      const auto value = [&] {
        scratch.clear();
        AttentionEvidence evidence;
        Tensor<double> output({n, 3});
        kind.attention->forward(head(), output.rows(), scratch, evidence);
        double total = 0;
        for (std::int64_t i = 0; i < output.size(); ++i) total += output[i] * d_output[i];
        return total;
      };
      // Twice: replacing what is there, then adding to it; what is learned is always added to.
      Arena arena;
      AttentionEvidence evidence;
      Tensor<double> output({n, 3});
      std::vector<Tensor<double>> gradient;
      for (const Tensor<double>& tensor : x) gradient.emplace_back(tensor.shape());
      for (int part = 0; part < 3; ++part) std::ranges::fill(gradient[part].flat(), 1e3);
      for (const bool accumulate : {false, true}) {
        const auto state = kind.attention->forward(head(), output.rows(), arena, evidence);
        kind.attention->vjp(head(), state, output.rows(), d_output.rows(),
                            {gradient[0].rows(), gradient[1].rows(), gradient[2].rows(), accumulate,
                             gradient[3].rows()},
                            arena);
      }
      double worst = 0, largest = 0;
      for (std::size_t part = 0; part < x.size(); ++part)
        for (std::int64_t i = 0; i < x[part].size(); ++i) {
          const double kept = x[part][i];
          const auto slope = [&](double h) {
            x[part][i] = kept + h;
            const double above = value();
            x[part][i] = kept - h;
            const double below = value();
            x[part][i] = kept;
            return (above - below) / (2 * h);
          };
          const double expected = 2 * (4 * slope(1e-4) - slope(2e-4)) / 3;
          worst = std::max(worst, std::abs(expected - gradient[part][i]));
          largest = std::max(largest, std::abs(expected));
        }
      CHECK(worst < kGradientTolerance * largest);
    }
  }
}

TEST_CASE("the Sinkformer's gradient is that of its plan with the column dual held fast") {
  const std::int64_t n = 5, m = 6, width = 4;
  std::vector<Tensor<double>> x = {random_tensor({n, width}, 1), random_tensor({m, width}, 2),
                                   random_tensor({m, 3}, 3)};
  const Tensor<double> d_output = random_tensor({n, 3}, 4);
  const auto head = [&] {
    return AttentionHead<double>{x[0].rows(), x[1].rows(), x[2].rows(), 0.8};
  };
  const auto kind = make_sinkformer_attention<double>(2);
  Arena arena;
  AttentionEvidence evidence;
  Tensor<double> output({n, 3}), plan({n, m});
  const auto state = kind->forward(head(), output.rows(), arena, evidence);
  kind->plan(head(), plan.rows(), arena);
  std::vector<Tensor<double>> gradient;
  for (const Tensor<double>& tensor : x) gradient.emplace_back(tensor.shape());
  kind->vjp(head(), state, output.rows(), d_output.rows(),
            {gradient[0].rows(), gradient[1].rows(), gradient[2].rows(), false}, arena);

  const auto scores = [&] {
    Tensor<double> s({n, m});
    gemm<double>(Transpose::no, Transpose::yes, 0.8, x[0].rows(), x[1].rows(), 0.0, s.rows());
    return s;
  };
  // g up to a constant, which the softmax of a row does not see: log A - S of the first row.
  const Tensor<double> start = scores();
  std::vector<double> g(m);
  for (std::int64_t j = 0; j < m; ++j) g[j] = std::log(plan.rows()(0, j)) - start.rows()(0, j);
  const auto value = [&] {
    const Tensor<double> s = scores();
    double total = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      double mass = 0;
      for (std::int64_t j = 0; j < m; ++j) mass += std::exp(s.rows()(i, j) + g[j]);
      for (std::int64_t j = 0; j < m; ++j)
        for (std::int64_t k = 0; k < 3; ++k)
          total +=
              std::exp(s.rows()(i, j) + g[j]) / mass * x[2].rows()(j, k) * d_output.rows()(i, k);
    }
    return total;
  };
  for (std::size_t part = 0; part < x.size(); ++part)
    for (std::int64_t i = 0; i < x[part].size(); ++i) {
      const double kept = x[part][i], h = 1e-4;
      const auto slope = [&](double step) {
        x[part][i] = kept + step;
        const double above = value();
        x[part][i] = kept - step;
        const double below = value();
        x[part][i] = kept;
        return (above - below) / (2 * step);
      };
      // Values are of size one, and so are their derivatives.
      CHECK(std::abs((4 * slope(h) - slope(2 * h)) / 3 - gradient[part][i]) < kGradientTolerance);
    }
}

TEST_CASE("a padded token is as if it were not there, for every kind") {
  std::vector<Kind> kinds = exact_kinds();
  kinds.push_back({"sinkformer", make_sinkformer_attention<double>(5)});
  const auto input = random_tensor({1, 6, 24}, 1);
  const Tensor<double> log_epsilon({2});
  const std::vector<std::int32_t> live = {4};
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    const Tensor<double> learned = learned_for(*kind.attention, 2);
    AttentionEvidence evidence;
    Tape<double> tape;
    const auto run = [&](TensorView<const double> qkv, std::span<const std::int32_t> lengths) {
      const Leaves leaves = {tape.leaf(qkv), tape.constant(log_epsilon.view()),
                             tape.constant(learned.view())};
      return attention(inputs_of(*kind.attention, leaves), {2, lengths}, *kind.attention, evidence);
    };
    const Var<double> padded = run(input.view(), live);
    const Var<double> dropped = run({input.data(), {1, 4, 24}}, {});
    for (std::int64_t i = 0; i < 32; ++i)
      CHECK(padded.value().data[i] == doctest::Approx(dropped.value().data[i]).epsilon(1e-14));
    for (std::int64_t i = 32; i < 48; ++i) CHECK(padded.value().data[i] == 0);
  }
}
