// The entry point of every test executable.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdlib>
#include <iostream>
#include <string_view>

#include <doctest/doctest.h>
#include <hwy/targets.h>

namespace {

constexpr int kSkipped = 77;  // what CMake is told to take for a test that cannot run here

/// Lets kernels be chosen as on a processor with nothing better than the named instruction set,
/// which is a name of Highway or "baseline". False when this processor or this binary does not have
/// it.
bool restrict_instruction_set(std::string_view name) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets())
    if (name == hwy::TargetName(target) || (name == "baseline" && target == HWY_STATIC_TARGET)) {
      hwy::SetSupportedTargetsForTest(target);
      return true;
    }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  if (const char* name = std::getenv("ASAP_TEST_SIMD"); name && !restrict_instruction_set(name)) {
    std::cout << "no " << name << " here: nothing is tested\n";
    return kSkipped;
  }
  return doctest::Context(argc, argv).run();
}
