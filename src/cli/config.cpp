#include "cli/config.h"

#include "cli/standard_output.h"
#include "config/changed_fields.h"
#include "distributed/job/launched_job.h"

namespace asap::cli {

std::string config_source(const CommonOptions& options) {
  return options.config.empty() ? "configuration" : options.config.string();
}

bool dump_json(const CommonOptions& options, const io::Json& config, const io::Json& defaults) {
  if (options.dump_config == ConfigDump::none) return false;
  const bool minimal = options.dump_config == ConfigDump::minimal;
  if (distributed::joined_job().leads())
    print(io::format_json(minimal ? config::changed_fields(config, defaults) : config));
  return true;
}

}  // namespace asap::cli
