#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "c_api/asap.h"
#include <doctest/doctest.h>

#include "attention/kinds/attention_kinds.h"
#include "base/random.h"
#include "unit/c_api/drawn_attention.h"

using namespace asap::test;

namespace {

/// The plan of one head by plain loops in double: softmax, then `iterations` column and row
/// updates.
std::vector<double> naive_plan(const std::vector<double>& scores, std::size_t n, std::size_t m,
                               int iterations) {
  std::vector<double> f(n), g(m), plan(n * m);
  const auto row_update = [&] {
    for (std::size_t i = 0; i < n; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < m; ++j) sum += std::exp(scores[i * m + j] + g[j]);
      f[i] = -std::log(sum);
    }
  };
  row_update();
  for (int t = 0; t < iterations; ++t) {
    for (std::size_t j = 0; j < m; ++j) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += std::exp(scores[i * m + j] + f[i]);
      g[j] = std::log(static_cast<double>(n) / static_cast<double>(m)) - std::log(sum);
    }
    row_update();
  }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < m; ++j) plan[i * m + j] = std::exp(scores[i * m + j] + f[i] + g[j]);
  return plan;
}

/// The output of all heads by plain loops; rows that are not live are zero.
std::vector<float> naive_output(const DrawnAttention& drawn, int iterations) {
  const asap_attention& a = drawn.attention;
  const double scale = a.scale > 0 ? a.scale : 1 / std::sqrt(static_cast<double>(a.width));
  std::vector<float> out(drawn.output_size());
  for (std::int64_t b = 0; b < a.examples; ++b)
    for (std::int64_t h = 0; h < a.heads; ++h) {
      const std::vector<std::int64_t> queries = drawn.live_queries(b), keys = drawn.live_keys(b);
      std::vector<double> scores;
      for (const std::int64_t i : queries)
        for (const std::int64_t j : keys) {
          double product = 0;
          for (std::int64_t d = 0; d < a.width; ++d)
            product += double{at(a.queries, b, h, i, d)} * at(a.keys, b, h, j, d);
          scores.push_back(scale * product);
        }
      const std::vector<double> plan = naive_plan(scores, queries.size(), keys.size(), iterations);
      for (std::size_t i = 0; i < queries.size(); ++i)
        for (std::int64_t d = 0; d < a.value_width; ++d) {
          double value = 0;
          for (std::size_t j = 0; j < keys.size(); ++j)
            value += plan[i * keys.size() + j] * at(a.values, b, h, keys[j], d);
          out[drawn.output_place(b, h, queries[i], d)] = static_cast<float>(value);
        }
    }
  return out;
}

void check_near(const std::vector<float>& found, const std::vector<float>& expected,
                double tolerance) {
  REQUIRE(found.size() == expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    worst = std::max(worst, std::abs(double{found[i]} - expected[i]));
  CHECK(worst < tolerance);
}

// Sums of some ten float32 products of numbers near 1, through a few iterations.
constexpr double kTolerance = 2e-5;

}  // namespace

TEST_CASE(
    "softmax and Sinkhorn attention are plain loops, with strides, lengths, masks and N != M") {
  for (const bool interleaved : {false, true})
    for (const bool masked : {false, true}) {
      DrawnAttention drawn({.interleaved = interleaved, .masked = masked});
      CAPTURE(interleaved);
      CAPTURE(masked);
      std::vector<float> out(drawn.output_size(), NAN);
      const asap_result result = drawn.result(out);
      asap_error error;
      REQUIRE(asap_softmax_attention(&drawn.attention, &result, &error) == ASAP_OK);
      check_near(out, naive_output(drawn, 0), kTolerance);
      for (const int iterations : {0, 1, 5}) {
        REQUIRE(asap_sinkhorn_attention(&drawn.attention, iterations, &result, &error) == ASAP_OK);
        check_near(out, naive_output(drawn, iterations), kTolerance);
      }
      drawn.attention.scale = 0.3F;
      REQUIRE(asap_sinkhorn_attention(&drawn.attention, 3, &result, &error) == ASAP_OK);
      check_near(out, naive_output(drawn, 3), kTolerance);
    }
}

TEST_CASE("gradients are those of the same attention in float64, and zero for masked tokens") {
  const DrawnAttention drawn({.interleaved = true, .masked = true});
  const asap_attention& a = drawn.attention;
  std::vector<float> upstream = drawn.numbers(drawn.output_size(), 77);
  const asap_result like_output = drawn.result(upstream);
  const asap_array output_gradient{upstream.data(), like_output.example_stride,
                                   like_output.head_stride, like_output.token_stride};
  std::vector<float> dq(drawn.query_size(), NAN), dk(drawn.key_size(), NAN),
      dv(drawn.value_size(), NAN);
  const asap_gradients gradients{drawn.result_like(a.queries, dq), drawn.result_like(a.keys, dk),
                                 drawn.result_like(a.values, dv)};
  asap_error error;
  for (const bool softmax : {true, false}) {
    const int iterations = 3;
    REQUIRE((softmax ? asap_softmax_attention_backward(&a, &output_gradient, &gradients, &error)
                     : asap_sinkhorn_attention_backward(&a, iterations, &output_gradient,
                                                        &gradients, &error)) == ASAP_OK);
    const auto kind = softmax ? asap::attention::make_softmax_attention<double>()
                              : asap::attention::make_sinkhorn_attention<double>(iterations);
    double worst = 0;
    for (std::int64_t b = 0; b < a.examples; ++b)
      for (std::int64_t h = 0; h < a.heads; ++h) {
        const std::vector<std::int64_t> queries = drawn.live_queries(b), keys = drawn.live_keys(b);
        const auto q = gathered(a.queries, b, h, queries, a.width),
                   k = gathered(a.keys, b, h, keys, a.width),
                   v = gathered(a.values, b, h, keys, a.value_width),
                   up = gathered(output_gradient, b, h, queries, a.value_width);
        asap::tensor::Tensor<double> out(up.shape()), gq(q.shape()), gk(k.shape()), gv(v.shape());
        asap::tensor::Arena arena;
        asap::attention::AttentionEvidence evidence;
        const asap::attention::AttentionHead<double> head{
            q.rows(), k.rows(), v.rows(), 1 / std::sqrt(static_cast<double>(a.width))};
        const auto state = kind->forward(head, out.rows(), arena, evidence);
        kind->vjp(head, state, out.rows(), up.rows(), {gq.rows(), gk.rows(), gv.rows()}, arena);
        const auto compare = [&](const asap_result& found, const auto& expected, const auto& live,
                                 std::int64_t tokens) {
          std::size_t next = 0;
          for (std::int64_t i = 0; i < tokens; ++i) {
            const bool is_live = next < live.size() && live[next] == i;
            for (std::int64_t d = 0; d < expected.shape()[1]; ++d) {
              const double value =
                  at({found.data, found.example_stride, found.head_stride, found.token_stride}, b,
                     h, i, d);
              const double wanted =
                  is_live ? expected.rows()(static_cast<std::int64_t>(next), d) : 0;
              worst = std::max(worst, std::abs(value - wanted));
            }
            next += is_live ? 1 : 0;
          }
        };
        compare(gradients.queries, gq, queries, a.query_tokens);
        compare(gradients.keys, gk, keys, a.key_tokens);
        compare(gradients.values, gv, keys, a.key_tokens);
      }
    CHECK(worst < kTolerance);
  }
}

TEST_CASE("results have the same bits for any number of threads") {
  const DrawnAttention drawn({.interleaved = true, .masked = true});
  const int before = asap_threads();
  std::vector<float> outs[2];
  for (const int threads : {1, 2}) {
    REQUIRE(asap_set_threads(threads, nullptr) == ASAP_OK);
    CHECK(asap_threads() == threads);
    std::vector<float>& out = outs[threads - 1];
    out.resize(drawn.output_size());
    const asap_result result = drawn.result(out);
    REQUIRE(asap_sinkhorn_attention(&drawn.attention, 7, &result, nullptr) == ASAP_OK);
  }
  CHECK(outs[0] == outs[1]);
  REQUIRE(asap_set_threads(before, nullptr) == ASAP_OK);
}

TEST_CASE("examples without live tokens give zeros, and no examples give nothing") {
  DrawnAttention drawn({.interleaved = false, .masked = false});
  std::vector<std::int64_t> none(static_cast<std::size_t>(drawn.attention.examples), 0);
  drawn.attention.key_lengths = none.data();
  std::vector<float> out(drawn.output_size(), NAN);
  const asap_result result = drawn.result(out);
  REQUIRE(asap_sinkhorn_attention(&drawn.attention, 2, &result, nullptr) == ASAP_OK);
  CHECK(std::ranges::all_of(out, [](float value) { return value == 0; }));
  drawn.attention.examples = 0;
  CHECK(asap_softmax_attention(&drawn.attention, &result, nullptr) == ASAP_OK);
}

TEST_CASE("arguments that do not fit are refused with what was expected, and write nothing") {
  DrawnAttention drawn({.interleaved = false, .masked = true});
  std::vector<float> out(drawn.output_size(), -7);
  const asap_result result = drawn.result(out);
  const auto refused = [&](asap_status status, const char* part, const auto& change) {
    asap_attention attention = drawn.attention;
    change(attention);
    asap_error error{};
    CHECK(asap_sinkhorn_attention(&attention, 2, &result, &error) == status);
    CHECK(error.status == status);
    CHECK_MESSAGE(std::string(error.message).find(part) != std::string::npos,
                  std::string(error.message));
    CHECK(asap_sinkhorn_attention(&attention, 2, &result, nullptr) == status);
  };
  refused(ASAP_USAGE, "queries.data", [](asap_attention& a) { a.queries.data = nullptr; });
  refused(ASAP_USAGE, "values.data", [](asap_attention& a) { a.values.data = nullptr; });
  refused(ASAP_USAGE, "heads", [](asap_attention& a) { a.heads = 0; });
  refused(ASAP_USAGE, "examples", [](asap_attention& a) { a.examples = -1; });
  refused(ASAP_USAGE, "2^40", [](asap_attention& a) { a.heads = 1 << 30, a.examples = 1 << 30; });
  refused(ASAP_USAGE, "width", [](asap_attention& a) { a.width = 0; });
  refused(ASAP_USAGE, "token_stride", [](asap_attention& a) { --a.keys.token_stride; });
  refused(ASAP_USAGE, "stride", [](asap_attention& a) { a.keys.head_stride = -1; });
  refused(ASAP_USAGE, "scale", [](asap_attention& a) { a.scale = NAN; });
  const std::int64_t lengths[] = {1, 99, 1};
  refused(ASAP_USAGE, "key length", [&](asap_attention& a) { a.key_lengths = lengths; });
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::int64_t live = drawn.live_queries(1).front();
  float& value = drawn.queries[static_cast<std::size_t>(
      drawn.attention.queries.example_stride + live * drawn.attention.queries.token_stride)];
  const float kept = std::exchange(value, nan);
  refused(ASAP_NUMERICAL, "queries: token", [](asap_attention&) {});
  value = kept;
  CHECK(asap_sinkhorn_attention(nullptr, 2, &result, nullptr) == ASAP_USAGE);
  CHECK(asap_sinkhorn_attention(&drawn.attention, 2, nullptr, nullptr) == ASAP_USAGE);
  CHECK(asap_sinkhorn_attention(&drawn.attention, -1, &result, nullptr) == ASAP_USAGE);
  CHECK(asap_sinkhorn_attention_backward(&drawn.attention, 1, nullptr, nullptr, nullptr) ==
        ASAP_USAGE);
  CHECK(asap_set_threads(0, nullptr) == ASAP_USAGE);
  CHECK(std::ranges::all_of(out, [](float x) { return x == -7; }));
}

TEST_CASE("values of masked tokens may be anything") {
  DrawnAttention drawn({.interleaved = false, .masked = true});
  std::vector<float> out(drawn.output_size()), again(drawn.output_size());
  const asap_result first = drawn.result(out), second = drawn.result(again);
  REQUIRE(asap_sinkhorn_attention(&drawn.attention, 2, &first, nullptr) == ASAP_OK);
  const asap_attention& a = drawn.attention;
  for (std::int64_t b = 0; b < a.examples; ++b) {
    const std::vector<std::int64_t> live = drawn.live_keys(b);
    for (std::int64_t j = 0; j < a.key_tokens; ++j)
      if (std::ranges::find(live, j) == live.end())
        drawn.keys[static_cast<std::size_t>(b * a.keys.example_stride + j * a.keys.token_stride)] =
            NAN;
  }
  REQUIRE(asap_sinkhorn_attention(&drawn.attention, 2, &second, nullptr) == ASAP_OK);
  CHECK(out == again);
}
