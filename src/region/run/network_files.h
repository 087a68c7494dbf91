#pragma once

#include <filesystem>
#include <string>

#include "region/network/network_file.h"

namespace asap::region {

/// Writes network.safetensors, network.json and the C header NAME.h, whose first line is `comment`,
/// into an existing folder.
void write_network_files(const StoredNetwork& stored, const std::string& name,
                         const std::string& comment, const std::filesystem::path& folder);

}  // namespace asap::region
