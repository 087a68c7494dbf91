#include "evaluate/bench/machine_peak.h"
#include "microbench.h"

using namespace asap::test;

namespace asap::bench {

double peak_operations() {
  static const double peak = 1e9 * measure_peak_gflops(1, 1.0);
  return peak;
}

}  // namespace asap::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("peak of multiply-adds in registers, one thread, GFLOP/s",
                              std::to_string(1e-9 * asap::bench::peak_operations()));
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
