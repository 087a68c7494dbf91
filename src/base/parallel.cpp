#include "base/parallel.h"

namespace asap {

int default_thread_count() { return omp_get_num_procs(); }

}  // namespace asap
