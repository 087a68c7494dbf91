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

/// Of a configuration as JSON what differs from `defaults`, which has the same fields; groups in
/// which nothing does are left out.
io::Json changed_fields(const io::Json& config, const io::Json& defaults);

/// Answers --dump-config: prints the configuration, ready to be used as a --config file, and
/// returns true when it was asked for. `defaults`: what stays away from a minimal one.
bool dump_json(const CommonOptions& options, const io::Json& config, const io::Json& defaults);

template <class C>
bool dump_config(const CommonOptions& options, const C& config, const C& defaults = C{}) {
  return dump_json(options, config::to_json(config), config::to_json(defaults));
}

}  // namespace asap::cli
