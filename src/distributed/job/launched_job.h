#pragma once

#include <string>

#include "distributed/ranks.h"

namespace asap::distributed {

/// The job that this process was started in by mpirun or srun, which the first call joins; else
/// single_rank(). UsageError when it was started as one of several by a program that does not fit
/// this build. Every rank that calls it must leave with Ranks::end.
Ranks& join_job();

/// The job that was joined, or single_rank().
Ranks& joined_job();

/// The number of processes that mpirun started together with this one, as the environment says; 1
/// without mpirun.
int launched_ranks();

/// What --version says: "Open MPI 4.1.4", or "no".
std::string mpi_name();

}  // namespace asap::distributed
