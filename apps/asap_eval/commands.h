#pragma once

#include <memory>

#include "cli/command.h"

namespace asap::asap_eval {

std::unique_ptr<cli::Command> predict_command();
std::unique_ptr<cli::Command> compare_command();
std::unique_ptr<cli::Command> bench_command();
std::unique_ptr<cli::Command> diagnose_command();
std::unique_ptr<cli::Command> drift_command();
std::unique_ptr<cli::Command> regions_command();
std::unique_ptr<cli::Command> export_command();
std::unique_ptr<cli::Command> bundle_command();

}  // namespace asap::asap_eval
