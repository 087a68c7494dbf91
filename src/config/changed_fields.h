#pragma once

#include <filesystem>
#include <string>

#include "io/json.h"

namespace asap::config {

/// The fields of `config` whose values differ from `defaults`, which has the same fields; groups
/// without such a field are left out.
io::Json changed_fields(const io::Json& config, const io::Json& defaults);

/// " --set KEY=VALUE" for each of them, as a shell reads it; empty where nothing differs.
std::string set_options(const io::Json& config, const io::Json& defaults);

/// " --run 'my run'": an option and its path, as a shell reads them.
std::string path_option(const std::string& name, const std::filesystem::path& path);

}  // namespace asap::config
