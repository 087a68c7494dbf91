#pragma once

#include <memory>

#include "cli/command.h"

namespace asap::asap_train {

std::unique_ptr<cli::Command> train_command();

}  // namespace asap::asap_train
