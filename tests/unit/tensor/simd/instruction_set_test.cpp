#include "tensor/simd/instruction_set.h"

#include <algorithm>
#include <cctype>

#include <doctest/doctest.h>

#include "base/error.h"

namespace asap::test {
namespace {

TEST_CASE("The instruction set in use is one of the usable ones, and unknown ones are refused") {
  std::string used = tensor::instruction_set();
  std::ranges::transform(used, used.begin(), [](unsigned char c) { return std::tolower(c); });
  const std::vector<std::string> usable = tensor::usable_instruction_sets();
  CHECK(std::ranges::find(usable, used) != usable.end());
  for (const char* name : {"", "AVX", "mmx"})
    CHECK_THROWS_AS(tensor::limit_instruction_set(name), base::UsageError);
  CHECK(tensor::usable_instruction_sets() == usable);
  for (std::string name : {tensor::instruction_set(), usable.front()}) {  // neither is a limit
    CHECK_NOTHROW(tensor::limit_instruction_set(name));
    name.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(name.front())));
    CHECK_NOTHROW(tensor::limit_instruction_set(name));
  }
  CHECK(tensor::usable_instruction_sets() == usable);
}

}  // namespace
}  // namespace asap::test
