// Times what ranks exchange: prints JSON with the median seconds of a gather of few bytes, and of
// sums in both orders; and how much longer than the mean rank the slowest one takes for equal work.
//
//   mpirun -np 2 build-mpi/bin/mpi_exchange_bench [SECONDS]     (for each measurement; default 0.2)
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "base/timing.h"
#include "distributed/job/launched_job.h"
#include "distributed/shared_items.h"
#include "tensor/kernels/elementwise.h"

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

/// Of equal work, which takes about as long as a training step, the mean over repeats of the time
/// of the slowest rank over that of the mean rank.
double time_of_slowest(Ranks& ranks, double budget) {
  std::vector<float> from(1 << 14, 1.0F), to(1 << 14, 0.0F);
  const auto work = [&](int rounds) {
    const asap::base::Stopwatch watch;
    for (int i = 0; i < rounds; ++i) asap::tensor::axpy<float>(1e-6F, from, to);
    return watch.seconds();
  };
  constexpr int kSome = 1000;
  constexpr double kStep = 0.04;
  const std::vector<double> speed = gather_values(ranks, work(kSome));
  const int rounds = static_cast<int>(kSome * kStep / speed.front()) + 1;
  double slowest = 0, all = 0;
  const asap::base::Stopwatch watch;
  while (gather_values(ranks, watch.seconds() < budget)[0]) {
    const std::vector<double> seconds = gather_values(ranks, work(rounds));
    slowest += std::ranges::max(seconds);
    all += std::accumulate(seconds.begin(), seconds.end(), 0.0) / ranks.size();
  }
  return slowest / all;
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
  const double slowest = time_of_slowest(ranks, 10 * budget);
  if (ranks.leads())
    std::printf("{\"ranks\": %d, \"gather_seconds\": %.9f, \"slowest\": %.4f, \"sums\": [",
                ranks.size(), gather, slowest);
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
