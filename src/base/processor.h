#pragma once

#include <string>

namespace asap::base {

/// The processor as the system names it, and its threads: "AMD EPYC 9R14, 2 threads".
std::string processor_description();

}  // namespace asap::base
