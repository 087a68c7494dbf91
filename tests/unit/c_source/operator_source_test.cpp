#include "c_source/operator_source.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/compiled_c.h"
#include "support/random_heads.h"

namespace asap::test {
namespace {

using attention::CompiledHead;
using attention::CompiledMode;
using attention::DualFeatures;

constexpr std::int64_t kHeads = 2, kHeadWidth = 5, kModelWidth = kHeads * kHeadWidth;

using Attend = int(int, const float*, int, const float*, const float*, int, float*, float*);
using Scratch = std::size_t(int);

std::string source_of(const c_source::Heads& heads) {
  return c_source::operator_source(heads, kHeadWidth, {"net", {"A test."}}) +
         "size_t test_scratch(int tokens) { return NET_SCRATCH_FLOATS(tokens); }\n";
}

/// Layers with every feature, each feature alone, both modes, loops and softmax.
c_source::Heads varied_heads() {
  base::RandomStream random(61, base::RandomPurpose::test, 1);
  DualFeatures pot = DualFeatures::none(), landmarks = pot, lse = pot, relaxed = pot;
  relaxed.start = true;
  relaxed.corrections = 3;
  pot.potential = true;
  landmarks.landmarks = 4;
  lse.log_sum_exp = true;
  lse.corrections = 3;
  c_source::Heads heads;
  const auto add = [&](const auto& make) {
    heads.emplace_back();
    for (std::int64_t h = 0; h < kHeads; ++h) heads.back().push_back(make());
  };
  for (const DualFeatures& features :
       {DualFeatures{.first_dual = true, .landmarks = 3, .corrections = 2}, pot, landmarks, lse,
        relaxed})
    add([&] { return random_head(features, CompiledMode::row_dual, kHeadWidth, random); });
  add([&] {
    return random_head({.log_sum_exp = false, .landmarks = 3}, CompiledMode::key_bias, kHeadWidth,
                       random);
  });
  add([] { return CompiledHead::zero_dual(0.7f); });
  for (const int iterations : {0, 1, 10})
    add([&] {
      return CompiledHead{
          .mode = CompiledMode::sinkhorn, .score_scale = 0.7f, .iterations = iterations};
    });
  return heads;
}

/// What the toolkit computes for one example. -> [n, H D].
tensor::Tensor<float> expected_output(const attention::CompiledOperator& attention, int layer,
                                      const tensor::Tensor<float>& queries,
                                      const tensor::Tensor<float>& keys,
                                      const tensor::Tensor<float>& values) {
  tensor::Tensor<float> out(queries.shape());
  tensor::Arena arena;
  attention.apply(layer,
                  {.queries = queries.rows(),
                   .keys = keys.rows(),
                   .values = values.rows(),
                   .examples = 1,
                   .heads = kHeads},
                  out.rows(), arena);
  return out;
}

/// The largest difference of all layers for n queries and m keys of this size.
double largest_difference(const CompiledFile& file, const c_source::Heads& heads, int n, int m,
                          float size) {
  base::RandomStream random(62, base::RandomPurpose::test, static_cast<std::uint32_t>(n + m));
  const tensor::Tensor<float> queries = random_floats({n, kModelWidth}, size, random),
                              keys = random_floats({m, kModelWidth}, size, random),
                              values = random_floats({m, kModelWidth}, 1, random);
  const attention::CompiledOperator attention(heads);
  GuardedScratch scratch(
      static_cast<std::int64_t>(file.function<Scratch>("test_scratch")(std::max(n, m))));
  double largest = 0;
  for (int layer = 0; layer < static_cast<int>(heads.size()); ++layer) {
    CAPTURE(layer);
    tensor::Tensor<float> output({n, kModelWidth});
    CHECK(file.function<Attend>("net_attend")(layer, queries.data(), n, keys.data(), values.data(),
                                              m, output.data(), scratch.data()) == 0);
    const tensor::Tensor<float> expected = expected_output(attention, layer, queries, keys, values);
    for (std::int64_t i = 0; i < output.size(); ++i) {
      const double difference = std::abs(double{output[i]} - double{expected[i]});
      REQUIRE(difference == difference);
      largest = std::max(largest, difference);
    }
  }
  CHECK(scratch.is_respected());
  return largest;
}

TEST_CASE("every feature, mode and loop computes what the toolkit computes, with every compiler") {
  const c_source::Heads heads = varied_heads();
  const std::string code = source_of(heads);
  const std::vector<std::string> compilers = c_compilers();
  REQUIRE_FALSE(compilers.empty());
  for (const std::string& compiler : compilers) {
    CAPTURE(compiler);
    const CompiledFile file(code, compiler);
    // Outputs are around 1, in float32 on both sides.
    for (const auto& sizes : {std::pair{17, 17}, std::pair{9, 23}, std::pair{23, 9},
                              std::pair{1, 1}, std::pair{1, 6}, std::pair{6, 1}}) {
      const int n = sizes.first, m = sizes.second;
      CAPTURE(n);
      CAPTURE(m);
      CHECK(largest_difference(file, heads, n, m, 1) < 1e-5);
    }
  }
}

TEST_CASE("scores beyond the range of exp, and duals that close to no plan, are no harm") {
  const c_source::Heads all = varied_heads();
  // Without slices and landmarks, whose sums of large numbers differ in their last digits.
  const c_source::Heads heads{all[3], all[5], all[6], all[8]};
  const CompiledFile file(source_of(heads));
  for (const int n : {12, 40})
    CHECK(largest_difference(file, heads, n, n, 8) < 1e-3);  // scores of some 100, of 24 bits
}

TEST_CASE("a loop whose scalings leave the range of float goes on in logarithms, with slack, too") {
  c_source::Heads heads;
  for (const float slack : {0.0f, 0.5f}) {
    CompiledHead head{.mode = CompiledMode::sinkhorn, .score_scale = 0.7f};
    head.iterations = 100;
    head.slack = slack;
    heads.emplace_back(kHeads, head);
  }
  const CompiledFile file(source_of(heads));
  for (const int n : {12, 40})
    CHECK(largest_difference(file, heads, n, 40, 12) < 1e-3);  // scores of some 200, of 24 bits
}

TEST_CASE("tokens that are equal, and none at all, are attended to") {
  const c_source::Heads heads = varied_heads();
  const CompiledFile file(source_of(heads));
  std::vector<float> ones(4 * kModelWidth, 1.0f), output(4 * kModelWidth, 7.0f);
  GuardedScratch scratch(static_cast<std::int64_t>(file.function<Scratch>("test_scratch")(4)));
  Attend* attend = file.function<Attend>("net_attend");
  for (int layer = 0; layer < static_cast<int>(heads.size()); ++layer) {
    CAPTURE(layer);
    CHECK(attend(layer, ones.data(), 4, ones.data(), ones.data(), 4, output.data(),
                 scratch.data()) == 0);
    for (const float value : output) CHECK(value == doctest::Approx(1));
    CHECK(attend(layer, ones.data(), 4, ones.data(), ones.data(), 0, output.data(),
                 scratch.data()) == 0);
    for (const float value : output) CHECK(value == 0);
  }
  output.assign(output.size(), 7.0f);
  CHECK(attend(-1, ones.data(), 4, ones.data(), ones.data(), 4, output.data(), scratch.data()) ==
        -1);
  CHECK(attend(static_cast<int>(heads.size()), ones.data(), 4, ones.data(), ones.data(), 4,
               output.data(), scratch.data()) == -1);
  CHECK(output[0] == 7);
}

TEST_CASE("a map with slack is refused by the layer, and so is a name that is none in C") {
  c_source::Heads heads = varied_heads();
  heads[5] = {CompiledHead::zero_dual(1, 0.5f), CompiledHead::zero_dual(1)};
  CHECK_THROWS_WITH_AS(source_of(heads), doctest::Contains("layer 5: a compiled map with slack"),
                       base::UsageError);
  CHECK_THROWS_WITH_AS(c_source::operator_source(varied_heads(), kHeadWidth, {"my-net", {}}),
                       doctest::Contains("`name` 'my-net'"), base::UsageError);
}

}  // namespace
}  // namespace asap::test
