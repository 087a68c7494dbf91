#include "tensor/simd/bfloat16_unit.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "tensor/simd/instruction_set.h"

namespace asap::test {
namespace {

TEST_CASE("the unit for bfloat16 is the one that the name of the instruction set tells") {
  const std::vector<std::string> usable = tensor::usable_instruction_sets();
  const auto is_usable = [&](const char* name) {
    return std::ranges::find(usable, name) != usable.end();
  };
  const std::string name = tensor::instruction_set();
  switch (tensor::bfloat16_unit()) {
    case tensor::BFloat16Unit::none:
      CHECK_FALSE(is_usable("avx3_bf16"));
      CHECK_FALSE(is_usable("amx"));
      break;
    case tensor::BFloat16Unit::dot_product:
      CHECK(name == "AVX3_BF16");
      CHECK(is_usable("avx3"));
      CHECK_FALSE(is_usable("amx"));
      break;
    case tensor::BFloat16Unit::tiles:
      CHECK(name == "AMX");
      CHECK(is_usable("avx3_bf16"));
      break;
  }
}

}  // namespace
}  // namespace asap::test
