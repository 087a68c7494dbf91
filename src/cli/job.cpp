#include "cli/job.h"

#include <set>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/counted.h"
#include "base/error.h"
#include "base/files.h"
#include "base/version.h"
#include "cli/version.h"

namespace asap::cli {

distributed::Ranks& prepare_ranks(CommonOptions& options) {
  distributed::Ranks& ranks = distributed::joined_job();
  if (ranks.size() == 1) return ranks;
  spdlog::debug("rank {} of {} on {}, process {}, {} threads", ranks.rank(), ranks.size(),
                ranks.host(), ::getpid(), options.threads);
  if (!ranks.leads()) options.quiet = true;
  if (!ranks.leads()) options.json = false;
  return ranks;
}

distributed::NamedValues program_identity() {
  return {{"the version", base::version() + " " + base::source_commit()},
          {"the build", base::build_description()},
          {"the fingerprint of the program",
           base::content_fingerprint(base::read_file("/proc/self/exe"))},
          {"the instruction set", simd_name()}};
}

void require_single_process(const distributed::Ranks& ranks, const std::string& what) {
  if (ranks.size() > 1)
    throw base::UsageError(what + " works in one process, but " + std::to_string(ranks.size()) +
                               " were started together",
                           "start it without mpirun; --threads uses all processors of a machine");
}

void describe_ranks(distributed::Ranks& ranks, int threads, RunHeader& header) {
  if (ranks.size() == 1) return;
  const std::vector<std::string> hosts = ranks.gather(ranks.host());
  const std::size_t machines = std::set<std::string>(hosts.begin(), hosts.end()).size();
  header.add("ranks", std::to_string(ranks.size()) + " on " + base::counted(machines, "machine") +
                          ", " + base::counted(threads, "thread each", "threads each"));
}

}  // namespace asap::cli
