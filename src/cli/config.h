#pragma once

#include "cli/options.h"
#include "config/config_fields.h"

namespace asap::cli {

/// The configuration of a run: `config` as given (the defaults), overwritten by the --config file,
/// then by each --set in order. UsageError names file or flag and field.
template <class C>
C resolve_config(const CommonOptions& options, C config) {
  if (!options.config.empty())
    config::from_json(io::read_json(options.config), config, options.config.string());
  for (const std::string& assignment : options.assignments) config::set_field(config, assignment);
  return config;
}

/// What messages call the configuration: the --config file, or "configuration".
std::string config_source(const CommonOptions& options);

/// With --dump-config, prints the configuration in the form of a --config file (rank 0 does) and
/// returns true.
/// `defaults`: values that a minimal dump leaves out.
bool dump_json(const CommonOptions& options, const io::Json& config, const io::Json& defaults);

template <class C>
bool dump_config(const CommonOptions& options, const C& config, const C& defaults = C{}) {
  return dump_json(options, config::to_json(config), config::to_json(defaults));
}

}  // namespace asap::cli
