#pragma once

#include <iostream>

#include "cli/options.h"
#include "io/config_fields.h"

namespace asap {

/// The configuration of a run: `config` as given (the defaults), overwritten by the --config file,
/// then by each --set in order. UsageError names file or flag and field.
template <class C>
C resolve_config(const CommonOptions& options, C config) {
  if (!options.config.empty())
    from_json(read_json(options.config), config, options.config.string());
  for (const std::string& assignment : options.assignments) set_field(config, assignment);
  return config;
}

/// Answers --dump-config: prints the configuration, ready to be used as a --config file, and
/// returns true when it was asked for.
template <class C>
bool dump_config(const CommonOptions& options, const C& config) {
  if (options.dump_config) std::cout << format_json(to_json(config)) << std::flush;
  return options.dump_config;
}

}  // namespace asap
