// Times what ranks exchange: prints JSON with the median seconds of a gather of few bytes, and of
// sums in both orders.
//
//   mpirun -np 2 build-mpi/bin/mpi_exchange_bench [SECONDS]     (for each measurement; default 0.2)
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/timing.h"
#include "distributed/job/launched_job.h"

namespace {

using namespace asap::distributed;

/// Median seconds of `action`, which all ranks begin together, over `budget` seconds.
template <class Action>
double time_of(Ranks& ranks, double budget, const Action& action) {
  action();  // connects
  std::vector<double> seconds;
  const asap::base::Stopwatch all;
  // Rank 0 decides for all when it is enough.
  while (ranks.gather(all.seconds() < budget || seconds.size() < 5 ? "more" : "")[0] == "more") {
    const asap::base::Stopwatch watch;
    action();
    seconds.push_back(watch.seconds());
  }
  return asap::base::median(seconds);
}

}  // namespace

int main(int argc, char** argv) {
  Ranks& ranks = join_job();
  const double budget = argc > 1 ? std::atof(argv[1]) : 0.2;
  // One after the other: a single one can find the message of a rank that is ahead.
  constexpr int kGathers = 20;
  const double gather = time_of(ranks, budget,
                                [&] {
                                  for (int i = 0; i < kGathers; ++i) ranks.gather("few bytes");
                                }) /
                        kGathers;
  if (ranks.leads())
    std::printf("{\"ranks\": %d, \"gather_seconds\": %.9f, \"sums\": [", ranks.size(), gather);
  bool first = true;
  for (const std::size_t size : {1 << 10, 1 << 15, 1 << 18, 1 << 20, 1 << 22}) {
    std::vector<float> gradient(size, 0.5f);
    const std::vector<asap::tensor::VectorView<float>> gradients{gradient};
    double seconds[2] = {};
    for (const SumOrder order : {SumOrder::fixed, SumOrder::any})
      seconds[order == SumOrder::any] = time_of(ranks, budget, [&] {
        std::fill(gradient.begin(), gradient.end(), 0.5f);
        ranks.sum(gradients, order, 1);
      });
    if (ranks.leads())
      std::printf("%s{\"numbers\": %zu, \"fixed_seconds\": %.9f, \"any_seconds\": %.9f}",
                  first ? "" : ", ", size, seconds[0], seconds[1]);
    first = false;
  }
  if (ranks.leads()) std::printf("]}\n");
  ranks.end(false, 0);
}
