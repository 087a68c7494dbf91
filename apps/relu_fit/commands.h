#pragma once

#include <memory>

#include "cli/command.h"

namespace asap::relu_fit {

std::unique_ptr<cli::Command> fit_command();
std::unique_ptr<cli::Command> bench_command();
std::unique_ptr<cli::Command> regions_command();
std::unique_ptr<cli::Command> floor_command();
std::unique_ptr<cli::Command> eval_command();
std::unique_ptr<cli::Command> export_command();

}  // namespace asap::relu_fit
