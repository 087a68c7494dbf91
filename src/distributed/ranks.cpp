#include "distributed/ranks.h"

#include <cstdlib>

#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "distributed/mpi_ranks.h"
#include "distributed/ordered_sum.h"

namespace asap::distributed {
namespace {

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

class SingleRank final : public Ranks {
 public:
  SingleRank() : Ranks(0, 1, host_name()) {}

  void sum(std::span<const tensor::VectorView<float>> gradients, SumOrder, int threads) override {
    const tensor::VectorView<float> total = gradients.front();
    add_in_order(gradients, {0, total.size()}, true, total, threads);
  }
  std::vector<std::string> gather(const std::string& bytes) override { return {bytes}; }
  FailureReport fail(const std::string&) override { return {true, "", false}; }
  void end(bool, int) override {}
};

Ranks* joined = nullptr;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

int number_in(const char* name) { return base::parse_number<int>(variable(name)).value_or(0); }

/// One of several tasks of srun, which offers no MPI.
void refuse_plain_srun() {
  if (number_in("SLURM_STEP_NUM_TASKS") > 1 && variable("PMIX_RANK").empty() &&
      variable("PMI_RANK").empty() && launched_ranks() == 1)
    throw base::UsageError(
        "srun started " + variable("SLURM_STEP_NUM_TASKS") + " tasks that cannot exchange anything",
        "start them with srun --mpi=pmix");
}

}  // namespace

Ranks& single_rank() {
  static SingleRank single;
  return single;
}

int launched_ranks() { return std::max(number_in("OMPI_COMM_WORLD_SIZE"), 1); }

Ranks& joined_job() { return joined != nullptr ? *joined : single_rank(); }

#ifdef ASAP_MPI
Ranks& join_job() {
  refuse_plain_srun();
  const bool started_by_launcher = !variable("OMPI_COMM_WORLD_SIZE").empty() ||
                                   !variable("PMIX_RANK").empty() || !variable("PMI_RANK").empty();
  if (joined == nullptr) joined = started_by_launcher ? &start_mpi(host_name()) : &single_rank();
  return *joined;
}
#else
Ranks& join_job() {
  refuse_plain_srun();
  if (launched_ranks() > 1)
    throw base::UsageError("mpirun started " + std::to_string(launched_ranks()) +
                               " processes, but this program was built without MPI",
                           "build it with the preset mpi: cmake --preset mpi");
  joined = &single_rank();
  return *joined;
}

std::string mpi_name() { return "no"; }
#endif

std::int64_t first_of_rank(std::int64_t count, int rank, int size) { return count * rank / size; }

void require_same(Ranks& ranks, const NamedValues& values, const std::string& hint) {
  if (ranks.size() == 1) return;
  std::string packed = ranks.host();
  for (const auto& [name, value] : values) packed += '\0' + name + '\0' + value;
  const std::vector<std::string> all = ranks.gather(packed);
  const std::vector<std::string> first = base::split(all.front(), '\0');
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    const std::vector<std::string> other = base::split(all[rank], '\0');
    for (std::size_t i = 1; i + 1 < std::min(first.size(), other.size()); i += 2)
      if (first[i] != other[i] || first[i + 1] != other[i + 1])
        throw base::UsageError(first[i] + " is " + other[i + 1] + " on rank " +
                                   std::to_string(rank) + " (" + other[0] + "), but " +
                                   first[i + 1] + " on rank 0 (" + first[0] + ")",
                               hint);
    if (first.size() != other.size())
      throw base::UsageError("rank " + std::to_string(rank) + " (" + other[0] +
                                 ") runs another program than rank 0 (" + first[0] + ")",
                             hint);
  }
}

}  // namespace asap::distributed
