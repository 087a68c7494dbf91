#include "distributed/job/launched_job.h"

#include <doctest/doctest.h>

using namespace asap::distributed;

TEST_CASE("without mpirun the job that is joined is that of the single rank") {
  CHECK(launched_ranks() == 1);
  CHECK(&joined_job() == &single_rank());
  CHECK(&join_job() == &single_rank());
  CHECK(join_job().size() == 1);
  join_job().end(false, 0);
}
