#include "cli/version.h"

#include "base/version.h"
#include "distributed/job/launched_job.h"
#include "tensor/simd/instruction_set.h"

namespace asap::cli {

std::string simd_name() {
  const std::string name = tensor::instruction_set();
  return name == "AVX3" ? "AVX-512" : name;
}

std::string version_line(const std::string& program) {
  const std::string commit =
      base::source_commit().empty() ? "" : "commit " + base::source_commit() + ", ";
  return program + " " + base::version() + " (" + commit + base::build_description() + ", MPI " +
         distributed::mpi_name() + ", SIMD " + simd_name() + ")";
}

}  // namespace asap::cli
