#include "c_api/head_attention.h"

#include <doctest/doctest.h>

#include "unit/c_api/drawn_attention.h"

namespace asap::test {
namespace {

using c_api::HeadArray;

/// DrawnAttention in float64, contiguous.
struct DoubleAttention {
  const DrawnAttention drawn{{.masked = true}};
  std::vector<double> queries{drawn.queries.begin(), drawn.queries.end()};
  std::vector<double> keys{drawn.keys.begin(), drawn.keys.end()};
  std::vector<double> values{drawn.values.begin(), drawn.values.end()};

  c_api::HeadArrays<double> arrays() const {
    const asap_attention& a = drawn.attention;
    const auto as_double = [](const std::vector<double>& data, const asap_array& array) {
      return HeadArray<const double>{data.data(), array.example_stride, array.head_stride,
                                     array.token_stride};
    };
    c_api::HeadArrays<double> arrays;
    arrays.examples = a.examples;
    arrays.heads = a.heads;
    arrays.query_tokens = a.query_tokens;
    arrays.key_tokens = a.key_tokens;
    arrays.width = a.width;
    arrays.value_width = a.value_width;
    arrays.queries = as_double(queries, a.queries);
    arrays.keys = as_double(keys, a.keys);
    arrays.values = as_double(values, a.values);
    arrays.key_lengths = a.key_lengths;
    arrays.query_mask = a.query_mask;
    arrays.key_mask = a.key_mask;
    return arrays;
  }
  static HeadArray<double> place(std::vector<double>& data, std::int64_t tokens,
                                 std::int64_t columns) {
    return {data.data(), 2 * tokens * columns, tokens * columns, columns};
  }
  std::vector<double> output(const attention::TrainableAttention<double>& kind) const {
    std::vector<double> out(drawn.output_size());
    c_api::attend<double>(kind, arrays(), place(out, 9, 4));
    return out;
  }
};

TEST_CASE("attention of doubles is that of floats, but for their rounding") {
  const DoubleAttention doubles;
  const asap_attention& a = doubles.drawn.attention;
  std::vector<float> out(doubles.drawn.output_size());
  const auto check = [&](const std::vector<double>& exact) {
    for (std::size_t i = 0; i < out.size(); ++i)
      CHECK(double{out[i]} == doctest::Approx(exact[i]).epsilon(1e-5));
  };
  c_api::attend<float>(*c_api::sinkhorn_kind<float>(4), c_api::head_arrays(a),
                       c_api::head_array(doubles.drawn.result(out)));
  check(doubles.output(*c_api::sinkhorn_kind<double>(4)));
  c_api::attend<float>(*c_api::softmax_kind<float>(), c_api::head_arrays(a),
                       c_api::head_array(doubles.drawn.result(out)));
  check(doubles.output(*c_api::softmax_kind<double>()));
}

TEST_CASE("gradients of doubles are those of difference quotients") {
  DoubleAttention doubles;
  const auto kind = c_api::sinkhorn_kind<double>(3);
  const std::vector<float> drawn = DrawnAttention::numbers(doubles.drawn.output_size(), 9);
  const std::vector<double> weights(drawn.begin(), drawn.end());
  std::vector<double> of_queries(doubles.queries.size()), of_keys(doubles.keys.size()),
      of_values(doubles.values.size());
  c_api::attend_backward<double>(
      *kind, doubles.arrays(), {weights.data(), 72, 36, 4},
      {DoubleAttention::place(of_queries, 9, 5), DoubleAttention::place(of_keys, 13, 5),
       DoubleAttention::place(of_values, 13, 4)});
  const auto loss = [&] {
    double sum = 0;
    const std::vector<double> out = doubles.output(*kind);
    for (std::size_t i = 0; i < out.size(); ++i) sum += weights[i] * out[i];
    return sum;
  };
  const double step = 1e-5;  // rounding and curvature both leave errors near 1e-10
  const auto check = [&](std::vector<double>& values, const std::vector<double>& gradient) {
    for (std::size_t i = 3; i < values.size(); i += 41) {
      const double before = values[i];
      values[i] = before + step;
      const double above = loss();
      values[i] = before - step;
      const double below = loss();
      values[i] = before;
      CHECK(gradient[i] == doctest::Approx((above - below) / (2 * step)).epsilon(1e-7));
    }
  };
  check(doubles.queries, of_queries);
  check(doubles.keys, of_keys);
  check(doubles.values, of_values);
}

}  // namespace
}  // namespace asap::test
