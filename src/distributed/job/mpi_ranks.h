#pragma once

#include <string>

#include "distributed/ranks.h"

namespace asap::distributed {

/// Joins the job of mpirun or srun. Only in builds with MPI, and once.
Ranks& start_mpi(const std::string& host);

}  // namespace asap::distributed
