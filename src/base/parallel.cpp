#include "base/parallel.h"

namespace asap::base {

int default_thread_count() { return omp_get_num_procs(); }

}  // namespace asap::base
