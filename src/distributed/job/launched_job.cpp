#include "distributed/job/launched_job.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "distributed/job/mpi_ranks.h"

namespace asap::distributed {
namespace {

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

int launched_ranks() { return std::max(number_in("OMPI_COMM_WORLD_SIZE"), 1); }

Ranks& joined_job() { return joined != nullptr ? *joined : single_rank(); }

#ifdef ASAP_MPI
Ranks& join_job() {
  refuse_plain_srun();
  const bool started_by_launcher = !variable("OMPI_COMM_WORLD_SIZE").empty() ||
                                   !variable("PMIX_RANK").empty() || !variable("PMI_RANK").empty();
  if (joined == nullptr)
    joined = started_by_launcher ? &start_mpi(single_rank().host()) : &single_rank();
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

}  // namespace asap::distributed
