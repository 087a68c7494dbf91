#include "compile/candidate_fit.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "compile/compile_heads.h"
#include "unit/compile/small_activations.h"

namespace asap::test {
namespace {

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
}

TEST_CASE("Loops are cut at every small number and at few larger ones") {
  CHECK(compile::loop_lengths(1) == std::vector<int>{1});
  CHECK(compile::loop_lengths(5) == std::vector<int>{1, 2, 3, 4, 5});
  const std::vector<int> lengths = compile::loop_lengths(100);
  CHECK(lengths.back() == 100);
  CHECK(lengths.size() < 20);
  CHECK(std::ranges::adjacent_find(lengths, std::ranges::greater_equal()) == lengths.end());
}

}  // namespace
}  // namespace asap::test
