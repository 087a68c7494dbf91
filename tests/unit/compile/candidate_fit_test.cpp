#include "compile/candidate_fit.h"

#include <algorithm>
#include <numeric>

#include <doctest/doctest.h>

#include "compile/compile_heads.h"
#include "unit/compile/small_activations.h"

namespace asap::test {
namespace {

/// One of two ranks; the other one gathers `other`.
class OneOfTwo final : public distributed::Ranks {
 public:
  OneOfTwo(int rank, std::string other) : Ranks(rank, 2, "node"), other_(std::move(other)) {}
  void sum(std::span<const tensor::VectorView<float>>, distributed::SumOrder, int,
           const distributed::Computation&) override {}
  std::vector<std::string> gather(const std::string& bytes) override {
    sent = bytes;
    return rank() == 0 ? std::vector{bytes, other_} : std::vector{other_, bytes};
  }
  distributed::FailureReport fail(const std::string&) override { return {}; }
  void end(bool, int) override {}

  std::string sent;

 private:
  std::string other_;
};

tensor::Tensor<float> counted(const tensor::Shape& shape, float first) {
  tensor::Tensor<float> values(shape);
  std::iota(values.flat().begin(), values.flat().end(), first);
  return values;
}

bool same_tensor(const tensor::Tensor<float>& one, const tensor::Tensor<float>& other) {
  return one.shape() == other.shape() && std::ranges::equal(one.flat(), other.flat());
}

TEST_CASE("A map cut to fewer corrected iterations is the map that was fitted with fewer") {
  const compile::Activations activations = random_activations({}, 1, 5);
  compile::CompileConfig config = small_config();
  const auto fit = [&](const char* features) {
    compile::set_from_text(config, "features", features, "test");
    return compile::compile_heads(activations, config, 1).heads[0][0];
  };
  const attention::CompiledHead whole = fit("gau,lse,it:2");
  for (const auto& [corrections, features] :
       {std::pair(0, "gau,lse"), std::pair(1, "gau,lse,it:1"), std::pair(2, "gau,lse,it:2")}) {
    const attention::CompiledHead cut = compile::with_corrections(whole, corrections),
                                  alone = fit(features);
    CHECK(cut.features == alone.features);
    CHECK(cut.weights == alone.weights);
  }
  CHECK(compile::with_corrections(fit("start,it:3"), 2).weights == fit("start,it:2").weights);
}

TEST_CASE("Loops are cut at every small number and at few larger ones") {
  CHECK(compile::loop_lengths(1) == std::vector<int>{1});
  CHECK(compile::loop_lengths(5) == std::vector<int>{1, 2, 3, 4, 5});
  const std::vector<int> lengths = compile::loop_lengths(100);
  CHECK(lengths.back() == 100);
  CHECK(lengths.size() < 20);
  CHECK(std::ranges::adjacent_find(lengths, std::ranges::greater_equal()) == lengths.end());
}

TEST_CASE("Heads arrive on the other rank as they were, loops and maps alike") {
  attention::CompiledHead map{.features = {.landmarks = 3, .corrections = 2},
                              .mode = attention::CompiledMode::key_bias,
                              .score_scale = 0.25F,
                              .slack = 0.5F,
                              .query_slices = counted({2, 4}, 1),
                              .key_slices = counted({2, 4}, 20),
                              .weights = {1.5F, -2.5F, 3},
                              .landmarks = counted({3, 4}, 40),
                              .teacher_iterations = 7,
                              .precision = attention::ProductPrecision::bfloat16};
  const attention::CompiledHead loop{
      .mode = attention::CompiledMode::sinkhorn, .teacher_iterations = 5, .iterations = 3};

  // Rank 1 has head 1 of three; what it sends does not depend on what it hears.
  std::string nothing;
  for (int head = 0; head < 2; ++head) distributed::pack_value(std::int64_t{0}, nothing);
  OneOfTwo sender(1, nothing);
  CHECK_THROWS(compile::exchange_heads({sender, 3}, {map}));  // the others are empty
  OneOfTwo receiver(0, sender.sent);
  const std::vector<attention::CompiledHead> heads =
      compile::exchange_heads({receiver, 3}, {loop, loop});
  REQUIRE(heads.size() == 3);
  CHECK(heads[1].features == map.features);
  CHECK(heads[1].mode == map.mode);
  CHECK(heads[1].score_scale == map.score_scale);
  CHECK(heads[1].slack == map.slack);
  CHECK(same_tensor(heads[1].query_slices, map.query_slices));
  CHECK(same_tensor(heads[1].key_slices, map.key_slices));
  CHECK(heads[1].weights == map.weights);
  CHECK(same_tensor(heads[1].landmarks, map.landmarks));
  CHECK(heads[1].teacher_iterations == 7);
  CHECK(heads[1].precision == map.precision);
  for (const int place : {0, 2}) {
    CHECK(heads[static_cast<std::size_t>(place)].mode == loop.mode);
    CHECK(heads[static_cast<std::size_t>(place)].iterations == 3);
    CHECK(heads[static_cast<std::size_t>(place)].query_slices.shape() == loop.query_slices.shape());
    CHECK(heads[static_cast<std::size_t>(place)].weights.empty());
  }
}

TEST_CASE("A process without others keeps its heads") {
  const std::vector<attention::CompiledHead> heads = compile::exchange_heads(
      {distributed::single_rank(), 1}, {attention::CompiledHead::zero_dual(2)});
  REQUIRE(heads.size() == 1);
  CHECK(heads[0].score_scale == 2);
}

}  // namespace
}  // namespace asap::test
