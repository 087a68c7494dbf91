#pragma once

#include <memory>

#include "cli/command.h"

namespace asap::asap_compile {

std::unique_ptr<cli::Command> compile_command();

}  // namespace asap::asap_compile
