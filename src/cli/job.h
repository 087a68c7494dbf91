#pragma once

#include "cli/options.h"
#include "cli/run_header.h"
#include "config/field_values.h"
#include "distributed/job/launched_job.h"

namespace asap::cli {

/// The ranks of this process's job, for a command that works in several: only rank 0 prints text.
/// With --verbose every rank says where it runs.
distributed::Ranks& prepare_ranks(CommonOptions& options);

/// What decides results besides configuration and data: the program and its instruction set.
distributed::NamedValues program_identity();

/// UsageError, on all ranks alike, when they run different programs or with another configuration.
template <class Config>
void require_same_command(distributed::Ranks& ranks, const Config& config) {
  if (ranks.size() == 1) return;
  distributed::NamedValues values = program_identity();
  for (auto& field : config::field_values(config)) values.push_back(std::move(field));
  distributed::require_same(ranks, values, "start all ranks with one program and configuration");
}

/// UsageError when several ranks are to do what one process does: "a comparison of matchers".
void require_single_process(const distributed::Ranks& ranks, const std::string& what);

/// Of several ranks, adds a line to the header: "4 on 2 machines, 2 threads each".
void describe_ranks(distributed::Ranks& ranks, int threads, RunHeader& header);

}  // namespace asap::cli
