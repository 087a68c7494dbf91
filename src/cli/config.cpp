#include "cli/config.h"

#include "cli/standard_output.h"
#include "distributed/job/launched_job.h"

namespace asap::cli {

std::string config_source(const CommonOptions& options) {
  return options.config.empty() ? "configuration" : options.config.string();
}

io::Json changed_fields(const io::Json& config, const io::Json& defaults) {
  io::Json changed = io::Json::object();
  for (const auto& [key, value] : config.items()) {
    const auto other = defaults.find(key);
    if (other == defaults.end() || !value.is_object()) {
      if (other == defaults.end() || value != *other) changed[key] = value;
      continue;
    }
    io::Json part = changed_fields(value, *other);
    if (!part.empty()) changed[key] = std::move(part);
  }
  return changed;
}

bool dump_json(const CommonOptions& options, const io::Json& config, const io::Json& defaults) {
  if (options.dump_config == ConfigDump::none) return false;
  const bool minimal = options.dump_config == ConfigDump::minimal;
  if (distributed::joined_job().leads())
    print(io::format_json(minimal ? changed_fields(config, defaults) : config));
  return true;
}

}  // namespace asap::cli
