#pragma once

#include <filesystem>

#include <CLI/CLI.hpp>

namespace asap::relu_fit {

/// --network, which the commands on a finished network share.
inline void add_network(CLI::App& command, std::filesystem::path& network) {
  command.add_option("--network", network, "Network file, .safetensors or .json")
      ->type_name("FILE")
      ->required();
}

}  // namespace asap::relu_fit
